"""Pictures through a net: tiles as large as memory allows, alpha beside colour, any scale."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np
import torch

from sr.ops.hardware import free_memory, release_memory
from sr.ops.no_data import enlarged, without_data
from sr.ops.normalisation import FULL_RANGE, Normalisation
from sr.pictures.picture import Picture
from sr.upscale.alignment import measure_alignment
from sr.upscale.budget import affordable_pixels, batch_size, best_grid
from sr.upscale.grid import Grid, cut
from sr.upscale.network import Network
from sr.upscale.reach import Reach, measure_reach
from sr.upscale.seen import seen_by_net
from sr.upscale.tiles import enlarge_all

# The messages of CPU allocators; that of CUDA has an exception of its own.
OUT_OF_MEMORY = (
    "DefaultCPUAllocator",
    "not enough memory",
    "can't allocate memory",
    "bad_alloc",
    "out of memory",
)
# `with bars(tiles) as advance:` receives the number of tiles; `advance` is called with the number just finished.
Bars = Callable[[int], AbstractContextManager[Callable[[int], object]]]


class Upscaler:
    """Enlarges pictures one after the other; what it measures of the net and the memory is used for the next.

    Args:
        network: the net as it runs here.
        scale: the factor between input and result; None takes that of the net. Another one is reached by resampling the
            output of the net.
        tile: the largest distance between two tiles in input pixels; "auto" takes what memory allows, 0 the
            whole image at once.
        report: a function that is called with every message for the user.
        bars: a function that makes the progress bar for the tiles of a picture.
        by: the way between stored values and those of the net; alpha is always in its full range.
    """

    def __init__(
        self,
        *,
        network: Network,
        scale: float | None = None,
        tile: int | str = "auto",
        report: Callable[[str], None] = print,
        bars: Bars = lambda tiles: nullcontext(lambda done: None),
        by: Normalisation = FULL_RANGE,
    ) -> None:
        self.network = network
        self.scale = network.scale if scale is None else scale
        self._tile = tile
        self._report = report
        self._bars = bars
        self._by = by
        self._pixels: int | None = None
        self._align: int | None = None
        self._reach: Reach | None = None

    def size(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) of the result."""
        return max(round(height * self.scale), 1), max(round(width * self.scale), 1)

    def has_room(self, height: int, width: int, *, channels: int, depth: int) -> bool:
        """Whether image and result take so little of the free memory, a quarter at most, that others fit beside them.

        It never measures the net, and so may be asked while the net is at work.

        Args:
            height: the height of the image in pixels.
            width: its width.
            channels: the number of its channels, including alpha.
            depth: the bytes of a value, 1, 2 or 4.
        """
        rows, columns = self.size(height, width)
        needed = (height * width + rows * columns) * depth
        if self._is_resampled(height, width):
            needed += 4 * self.network.scale**2 * height * width
        return 4 * channels * needed <= free_memory(torch.device("cpu"))

    def check_memory(self, height: int, width: int, *, channels: int, depth: int) -> None:
        """Raises MemoryError if image, result and a row of tiles cannot be held at the same time.

        Args:
            height: the height of the image in pixels.
            width: its width.
            channels: the number of its channels, including alpha.
            depth: the bytes of a value, 1, 2 or 4.
        """
        rows, columns = self.size(height, width)
        levels = (height * width + rows * columns) * depth
        needed = channels * (levels + self._resampled_at_once(height, width))
        free = free_memory(torch.device("cpu"))
        if needed > free:
            raise MemoryError(
                f"{width} x {height} pixels and the result of {columns} x {rows} need"
                f" {needed / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"
            )

    def __call__(self, picture: Picture) -> Picture:
        """The enlarged picture, of the same type and channels; where it had no data, it has none again.

        Raises:
            ValueError: the net is for other channels, or the values have no way to it.
            NotFiniteError: the net gives values that are not finite.
            MemoryError: not even the smallest tile fits.
        """
        self.check(bands=picture.colour.shape[2], dtype=picture.colour.dtype)
        alpha = picture.alpha
        if alpha is not None:
            (alpha,) = self._enlarge([alpha], by=FULL_RANGE, keep_flat=True)
        shown, valid = seen_by_net(picture)
        (result,) = self._enlarge([shown], by=self._by)
        if valid is not None:
            without_data(result, enlarged(valid, size=result.shape[:2]), nodata=picture.nodata)
        return replace(picture, colour=result, alpha=alpha)

    def check(self, *, bands: int, dtype: np.dtype) -> None:
        """Raises ValueError for pictures that the net is not for."""
        self.network.check(bands)
        self._by.check(channels=bands, key="the normalisation of the net")
        if not self._by.takes(dtype):
            raise ValueError(
                f"the net is for the full range of 8 or 16 unsigned bits, the image holds {dtype}, which has no natural"
                " range: train with data.normalise"
            )

    def frames(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Enlarge images of one size, several at once where that is faster, see `together`.

        Args:
            images: at least one, each (H, W, C) uint8 or uint16.

        Raises:
            ValueError: the net is for other channels.
            NotFiniteError: the net gives values that are not finite.
            MemoryError: not even the smallest tile fits.
        """
        self.check(bands=images[0].shape[2], dtype=images[0].dtype)
        return self._enlarge(images, by=self._by)

    def margin(self) -> tuple[int, int]:
        """How far around a part of an image pixels matter to it, and the number whose multiples a part may start at."""
        return self._measured_reach().pixels, self._measured_alignment()

    def together(self, height: int, width: int, *, most: int) -> int:
        """The number of images of this size, up to `most`, that go through the net at once: 1 where one has tiles."""
        grid = self._grid(height, width)
        if len(grid) > 1:
            return 1
        return batch_size(self.network, grid, pixels=self.affordable, images=most)

    @property
    def affordable(self) -> int:
        """The input pixels that may be enlarged at once: measured on the first call, unless it was set before."""
        if self._pixels is None:
            self._pixels = affordable_pixels(self.network)
        return self._pixels

    @affordable.setter
    def affordable(self, pixels: int) -> None:
        self._pixels = pixels

    def _resampled_at_once(self, height: int, width: int) -> int:
        """The bytes that one channel of the row of tiles takes as floats, which resampling needs as a whole."""
        if not self._is_resampled(height, width):
            return 0
        rows = self._grid(height, width).rows
        return 4 * self.network.scale**2 * width * max(span.own_stop - span.own_start for span in rows)

    def _is_resampled(self, height: int, width: int) -> bool:
        net = self.network.scale
        return self.size(height, width) != (height * net, width * net)

    def _enlarge(
        self, images: Sequence[np.ndarray], *, by: Normalisation, keep_flat: bool = False
    ) -> list[np.ndarray]:
        height, width = images[0].shape[:2]
        size = self.size(height, width)
        while True:
            grid = self._grid(height, width)
            batch = batch_size(self.network, grid, pixels=self.affordable, images=len(images))
            try:
                with self._bars(len(grid)) as advance:
                    return enlarge_all(
                        images,
                        network=self.network,
                        grid=grid,
                        size=size,
                        keep_flat=keep_flat,
                        by=by,
                        batch=batch,
                        advance=advance,
                    )
            except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
            # Outside the handler, because its traceback would keep the tensors of the failed attempt.
            self._shrink(grid, height, width)

    def _grid(self, height: int, width: int) -> Grid:
        """The tiles of an image. The reach is measured only when there is something to cut."""
        whole = cut(height, width, tile=(0, 0), reach=0)
        if self._tile == 0 or (self._tile == "auto" and height * width <= self.affordable):
            return whole
        if isinstance(self._tile, int) and max(height, width) <= self._tile:
            return whole
        reach = self._measured_reach().pixels
        fade = max(reach // 8, 1)
        align = self._measured_alignment()
        if isinstance(self._tile, int):
            return cut(height, width, tile=(self._tile, self._tile), reach=reach, fade=fade, align=align)
        return best_grid(height, width, pixels=self.affordable, reach=reach, fade=fade, align=align)

    def _measured_alignment(self) -> int:
        if self._align is None:
            self._align = measure_alignment(self.network)
        return self._align

    def _measured_reach(self) -> Reach:
        if self._reach is None:
            self._reach = measure_reach(self.network, align=self._measured_alignment())
            if not self._reach.complete:
                self._report(
                    f"pixels matter to this net further than {self._reach.pixels} away: tiles overlap by so much and"
                    " are blended, but may differ visibly from the image at once (--tile 0)"
                )
        return self._reach

    def _shrink(self, grid: Grid, height: int, width: int) -> None:
        release_memory(self.network.device)
        high, wide = grid.tile_size
        self._tile, self._pixels = "auto", max(high * wide // 4, 1)
        smaller = self._grid(height, width)
        if smaller.tile_size[0] * smaller.tile_size[1] >= high * wide:
            raise MemoryError(
                f"out of memory with tiles of {wide} x {high}, and smaller tiles would consist of margins only"
            )
        self._report(
            f"out of memory with tiles of {wide} x {high}: goes on with {smaller.tile_size[1]} x"
            f" {smaller.tile_size[0]}"
        )


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in OUT_OF_MEMORY)
