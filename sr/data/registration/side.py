"""One image of a pair, and where it has data."""

from dataclasses import dataclass

import numpy as np

from sr.ops.no_data import filled, has_data


@dataclass(frozen=True)
class Side:
    """One image of a pair.

    Attributes:
        values: (H, W, C) values as stored.
        nodata: the value that stands for no data, or None.
        cover: (H, W) bool, a mask that says where there are data, or unsigned, an alpha channel, which is 0 where
            there are none; None where there is neither.
    """

    values: np.ndarray
    nodata: float | None = None
    cover: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        height, width = self.values.shape[:2]
        return height, width

    def part(self, top: int, left: int, height: int, width: int) -> "Side":
        """A window of it."""
        place = np.s_[top : top + height, left : left + width]
        return Side(self.values[place], self.nodata, None if self.cover is None else self.cover[place])

    def valid(self) -> np.ndarray | None:
        """Where there are data, (H, W, C) bool, or None for everywhere."""
        found = has_data(self.values, nodata=self.nodata)
        if self.cover is None or self.cover.all():
            return found
        covered = np.broadcast_to(self.cover[:, :, None] > 0, self.values.shape)
        return np.array(covered) if found is None else found & covered

    def plane(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The mean of all bands, (H, W) float32, and where all of them have data, (H, W) bool, or None for everywhere.

        Pixels without data have the value of the nearest pixel with data.
        """
        valid = self.valid()
        values = self.values if valid is None else filled(self.values, valid)
        bands = values.shape[2]
        plane = values.astype(np.float32) @ np.full(
            bands, 1 / bands, np.float32
        )  # several times as fast as `mean`
        if valid is None:
            return plane, None
        return np.where(np.isfinite(plane), plane, 0), np.asarray(valid.all(axis=2))
