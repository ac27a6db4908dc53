"""What a measured pair is fit for, and what several pairs say together, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np

from sr.data.registration.alignment import Alignment
from sr.data.registration.shift import LEAST

ALIGNED, SHIFTED, UNEVEN, UNDECIDED = "aligned", "shifted", "uneven", "undecided"
MEANING = {
    SHIFTED: "a shift of the whole image, which --out undoes",
    UNEVEN: "the shift differs within the image: LR with aligned corners, turned, of another scale or another view",
    UNDECIDED: "too flat, too small or too unlike to say",
}
NEAR = 0.05  # LR pixels from a shift that has a known cause


def bound(scale: int) -> float:
    """The LR pixels that a pair may be apart: half an HR pixel, or what can be measured where that is less.

    From half an HR pixel on, an edge of LR is trained on another HR pixel than the one where it lies.
    """
    return max(0.5 / scale, LEAST)


def verdict(alignment: Alignment, *, scale: int) -> str:
    """One of `ALIGNED`, `SHIFTED`, `UNEVEN` (the shift differs within the image) and `UNDECIDED`."""
    if not alignment.decided:
        return UNDECIDED
    if alignment.spread > bound(scale):
        return UNEVEN
    return SHIFTED if alignment.distance > bound(scale) else ALIGNED


@dataclass(frozen=True)
class Together:
    """What several pairs say together; lengths are in LR pixels.

    Attributes:
        pairs: the number of pairs whose shift could be measured.
        median: the median of the distances of LR from HR.
        most: the largest of them.
        spread: the median of the differences of the shift within an image.
        down: the median of the shifts of LR downwards.
        right: the same to the right.
    """

    pairs: int
    median: float
    most: float
    spread: float
    down: float
    right: float

    @property
    def apart(self) -> str:
        """The distances, in words."""
        return f"{self.median:.2f} LR pixels apart (median), {self.most:.2f} at most"


def together(alignments: Sequence[Alignment]) -> Together | None:
    """The pairs whose shift could be measured; None where there is none."""
    found = [each for each in alignments if each.decided]
    if not found:
        return None
    table = np.array([(each.distance, each.spread, each.down, each.right) for each in found])
    distance, spread, down, right = np.median(table, axis=0).tolist()
    return Together(len(found), distance, float(table[:, 0].max()), spread, down, right)


def pairs(count: int) -> str:
    """So many pairs, in words."""
    return f"{count} pair{'s' * (count != 1)}"


def direction(down: float, right: float) -> str:
    """Where LR lies, in words, as "0.38 down and 0.38 right of HR"."""
    rows = f"{abs(down):.2f} {'down' if down >= 0 else 'up'}"
    return f"{rows} and {abs(right):.2f} {'right' if right >= 0 else 'left'} of HR"


def known_cause(down: float, right: float, *, scale: int) -> str:
    """How LR came to lie there, where that shows; otherwise an empty text.

    An LR pixel lies in the middle of the HR pixels that it averages. If it was taken from a single one of them, it lies
    where that one does: with `hr[::4, ::4]` 1.5 HR pixels off, with the nearest neighbour of Pillow half of one.
    """
    for pixel, how in (
        (0, f"as if LR were hr[::{scale}, ::{scale}], single pixels of HR"),
        (scale // 2, "as if LR were made of HR by the nearest neighbour"),
    ):
        off = ((scale - 1) / 2 - pixel) / scale
        if hypot(down - off, right - off) < NEAR and hypot(off, off) > NEAR:
            return how
    return ""
