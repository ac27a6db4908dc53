"""HR -> LR by a list of stages, which are drawn again for every sample.

The stages of a run are in conf/degradation. Training calls a degradation in `sr.data.patches`, validation and
evaluation call it in `sr.data.whole_images`; `sr.degradations.record` applies the drawn steps and rounds LR to 8 bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sr.degradations import draws
from sr.degradations.record import Record
from sr.degradations.step import Step
from sr.ops.image import quantize

# Stages by name, in their order; a name can stand for a group of stages, as `first` and `second`.
Stages = Mapping[str, Any]
Steps = dict[str, Step]
TRIALS = 64  # a stage that happens in one sample of ten is tried with a probability of .999


class Degradation:
    """Draws a `Record` per sample; the record makes LR.

    Args:
        scale: factor by which height and width shrink.
        margin: HR pixels around a patch that are degraded with it and then cut off, since the mirrored border of a
            window leaves traces in LR; a multiple of scale.
        stages: the stages by name, which are applied in order.
        jitter: the largest distance of a training patch from the middle of its window, in LR pixels and in each
            direction. A margin alone would put the 8 x 8 blocks of JPEG at the same position in every patch.

    Raises:
        ValueError: names the key, the value and the choices.
    """

    def __init__(self, *, scale: int, margin: int, stages: Stages, jitter: int = 0) -> None:
        self.scale = draws.checked_scale(scale)
        if margin < 0 or margin % scale:
            raise ValueError(f"degradation.margin={margin} must be a multiple of scale={scale}, or 0")
        if not 0 <= jitter * scale <= margin:
            raise ValueError(
                f"degradation.jitter={jitter} LR pixels must lie within degradation.margin={margin} HR pixels"
            )
        self.margin = margin
        self.jitter = jitter
        self.stages = _checked(stages, "degradation.stages")

    def draw(self, rng: np.random.Generator) -> Record:
        """Draw everything random about one sample."""
        return Record(scale=self.scale, steps=_draw_all(self.stages, rng))

    def check(self, *, channels: int) -> None:
        """Try it on small images, so that an error in every sample is found now and not hours later.

        Raises:
            DegradationError: a step does not support this number of channels, or the stages do not lead to the size of
                LR.
        """
        for record, hr in self._trials(channels):
            record.apply(hr)

    def is_identity(self, *, channels: int) -> bool:
        """Whether LR equals HR, as at scale=1 with no stage but a resize."""
        return self.scale == 1 and all(
            np.array_equal(record.apply(hr), quantize(hr)) for record, hr in self._trials(channels)
        )

    def _trials(self, channels: int) -> Iterator[tuple[Record, np.ndarray]]:
        for number in range(TRIALS):
            rng = np.random.default_rng(number)
            hr = rng.random((8 * self.scale, 8 * self.scale, channels), np.float32)
            yield self.draw(rng), hr


class Shuffled:
    """Stages, or groups of stages, in an order that is drawn for every sample; all orders are equally likely.

    Args:
        stages: the stages by name, in any order.
        in_order: names that keep this order among themselves.

    Raises:
        ValueError: a name in `in_order` is not one of the stages.
    """

    def __init__(self, *, stages: Stages, in_order: Sequence[str] = ()) -> None:
        self.stages = _checked(stages, "stages")
        for name in in_order:
            if name not in stages:
                raise ValueError(f"in_order={name} is unknown: choose from {', '.join(stages)}")
        self.in_order = list(in_order)

    def draw_all(self, rng: np.random.Generator) -> Steps:
        names = list(self.stages)
        order = [names[index] for index in rng.permutation(len(names))]
        kept = iter(self.in_order)
        order = [next(kept) if name in self.in_order else name for name in order]
        return _draw_all({name: self.stages[name] for name in order}, rng)


class OneOf:
    """One of several stages, or groups of stages, drawn for every sample.

    Args:
        stages: name -> stage.
        probabilities: name -> probability.

    Raises:
        ValueError: a name has no probability or no stage, or the probabilities do not sum to 1.
    """

    def __init__(self, *, stages: Stages, probabilities: Mapping[str, float]) -> None:
        self.stages = _checked(stages, "stages")
        self.probabilities = draws.checked_probabilities(
            "probabilities", probabilities, choices=list(self.stages)
        )
        for name in self.stages:
            if name not in probabilities:
                raise ValueError(f"probabilities.{name} is missing: 0 leaves the stage out")

    def draw_all(self, rng: np.random.Generator) -> Steps:
        name = draws.choose(rng, self.probabilities)
        return _draw_all({name: self.stages[name]}, rng)


def _checked(stages: Stages, key: str) -> Stages:
    """Raises ValueError for an entry that is neither a stage nor a group of them."""
    for name, stage in stages.items():
        if isinstance(stage, Mapping):
            _checked(stage, f"{key}.{name}")
        elif not hasattr(stage, "draw") and not hasattr(stage, "draw_all"):
            raise ValueError(f"{key}.{name}={stage!r} is not a stage: it needs a _target_ with a draw method")
    return stages


def _draw_all(stages: Stages, rng: np.random.Generator) -> Steps:
    """Steps by path; a stage that does not happen leaves none."""
    steps: Steps = {}
    for name, stage in stages.items():
        if isinstance(stage, Mapping):
            inner = _draw_all(stage, rng)
        elif hasattr(stage, "draw_all"):
            inner = stage.draw_all(rng)
        else:
            step = stage.draw(rng)
            if step is not None:
                steps[name] = step
            continue
        steps |= {f"{name}.{path}": step for path, step in inner.items()}
    return steps
