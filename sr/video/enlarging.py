"""The frames of one part of a film, enlarged several at once and blended with their neighbours."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sr.ops.beside import ahead
from sr.video.blend import Shown, blend
from sr.video.decode import Timed

Enlarge = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


class Lookahead:
    """An iterator that shows what comes next."""

    def __init__(self, frames: Iterable[Timed]) -> None:
        self._frames = iter(frames)
        self._next = next(self._frames, None)

    def __iter__(self) -> Iterator[Timed]:
        return self

    def __next__(self) -> Timed:
        if self._next is None:
            raise StopIteration
        now, self._next = self._next, next(self._frames, None)
        return now

    def peek(self) -> Timed | None:
        return self._next


@dataclass(frozen=True)
class Enlarging:
    """How frames become larger. The result of a part depends on its frames and one neighbour at each end alone.

    Args:
        image: a function that gives the pixels of a frame, (H, W, C) uint16.
        enlarge: a function that enlarges several of them.
        together: the number of frames that it gets at once.
        weight: the weight of neighbouring frames, see `blend`; 0 leaves every frame alone.
    """

    image: Callable[[Timed], np.ndarray]
    enlarge: Enlarge
    together: int = 1
    weight: float = 0.0

    def part(
        self, frames: Lookahead, *, before: Timed | None, length: int | None = None
    ) -> Iterator[tuple[Timed, np.ndarray]]:
        """Take frames and give each with its result.

        Args:
            frames: the frames from the first of the part on.
            before: the frame before the part; None at the beginning of the film.
            length: the most frames to take; None takes all.
        """
        if not self.weight:
            yield from ((timed, shown.result) for timed, shown in self._shown(islice(frames, length)))
            return
        one: tuple[Timed, Shown] | None = None  # the frame before `now`
        now: tuple[Timed, Shown] | None = None
        for following in self._shown(self._with_neighbours(frames, before, length)):
            if now is not None and now[0] is not before:
                yield now[0], blend(one and one[1], now[1], following[1], weight=self.weight)
            one, now = now, following
        if now is not None and frames.peek() is None:
            yield now[0], blend(one and one[1], now[1], None, weight=self.weight)

    def _with_neighbours(
        self, frames: Lookahead, before: Timed | None, length: int | None
    ) -> Iterator[Timed]:
        if before is not None:
            yield before
        yield from islice(frames, length)
        after = frames.peek()
        if after is not None:
            yield after

    def _shown(self, frames: Iterable[Timed]) -> Iterator[tuple[Timed, Shown]]:
        for some in ahead(self._decoded(iter(frames))):
            results = self.enlarge([image for _, image in some])
            for (timed, source), result in zip(some, results, strict=True):
                yield timed, Shown(source, result)

    def _decoded(self, frames: Iterator[Timed]) -> Iterator[list[tuple[Timed, np.ndarray]]]:
        while some := list(islice(frames, self.together)):
            yield [(timed, self.image(timed)) for timed in some]
