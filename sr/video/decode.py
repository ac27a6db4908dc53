"""The frames of a film in the order in which they are shown, each with its time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sr.video.film import Film, UnreadableFilmError, opened
from sr.video.library import import_av


@dataclass(frozen=True)
class Timed:
    """A decoded frame.

    Attributes:
        frame: the frame of PyAV.
        pts: the time stamp at which it is shown, in the time base of the film.
        duration: the time until the next frame; for the last one, what the file states.
    """

    frame: Any
    pts: int
    duration: int


@dataclass
class Damage:
    """What was wrong with the frames that were read.

    Attributes:
        lost: packets that could not be decoded; their frames are missing.
        concealed: frames that the decoder marks as damaged; they are kept.
        moved: frames that do not come after the one before; they are shown one unit of time after it.
    """

    lost: int = 0
    concealed: int = 0
    moved: int = 0

    def __str__(self) -> str:
        parts = []
        if self.lost:
            parts.append(
                f"{self.lost} packet(s) could not be decoded, their frames are missing in the result"
            )
        if self.concealed:
            parts.append(f"{self.concealed} damaged frame(s) are kept as far as they could be decoded")
        if self.moved:
            parts.append(
                f"{self.moved} frame(s) without a time stamp after the one before were moved behind it"
            )
        return "; ".join(parts)


@dataclass
class Frames:
    """Reads the frames of a film, again from the first with each iteration.

    Args:
        film: the film, see `read_film`.
    """

    film: Film
    damage: Damage = field(default_factory=Damage)

    def __iter__(self) -> Iterator[Timed]:
        """Raises UnreadableFilmError where the size of the frames changes within the film."""
        self.damage = Damage()
        waiting: tuple[Any, int] | None = None
        for frame in self._decoded():
            if (frame.height, frame.width) != (self.film.height, self.film.width):
                raise UnreadableFilmError(
                    f"{self.film.path}: its frames change from {self.film.width} x {self.film.height} to"
                    f" {frame.width} x {frame.height} within the film: split it there first"
                )
            pts = self._time_of(frame, waiting)
            if waiting is not None:
                yield Timed(*waiting, duration=pts - waiting[1])
            waiting = (frame, pts)
        if waiting is not None:
            yield Timed(*waiting, duration=waiting[0].duration or self._usual())

    def _decoded(self) -> Iterator[Any]:
        av = import_av()
        with opened(self.film.path) as container:
            stream = container.streams[self.film.stream]
            stream.thread_type = "AUTO"
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    self.damage.lost += 1
                    continue
                for frame in frames:
                    self.damage.concealed += frame.is_corrupt
                    yield frame

    def _time_of(self, frame: Any, before: tuple[Any, int] | None) -> int:
        stamp = frame.dts if frame.pts is None else frame.pts
        if before is None:
            return int(stamp or 0)
        if stamp is not None and stamp > before[1]:
            return int(stamp)
        self.damage.moved += 1
        return before[1] + (self._usual() if stamp is None else 1)

    def _usual(self) -> int:
        return max(round(1 / (self.film.rate * Fraction(self.film.time_base))), 1)
