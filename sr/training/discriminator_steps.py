"""In which iterations the discriminator is updated."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from sr.training.consensus import mean_over_processes


class DiscriminatorSteps:
    """Updates the discriminator in every n-th iteration, and not while it wins.

    With L_t, the generator's adversarial objective in iteration t without its weight, as the mean over the batches of
    all processes, and m_t, its running average, the discriminator rests in iteration t if

        L_t > m_{t-1} + (pause_threshold - 1) |m_{t-1}|,    m_t = a m_{t-1} + (1 - a) L_t,    a = pause_average

    which for m > 0 is L_t > pause_threshold m_{t-1}; an objective may be negative too (hinge, Wasserstein). m begins
    with the first L, counts every iteration in which both nets train, and passes over an L that is not finite.

    Source: `adaptive_d` of traiNNer-redux, which compares the new average with the old one instead: m_t >
    pause_threshold m_{t-1}, so L_t > m_{t-1} (pause_threshold - a) / (1 - a). Its threshold of 1.02 at a = 0.999 is
    21 here.

    Args:
        every: n; the discriminator is updated in the first iteration in which both nets train, and in every n-th one
            after it. The generator is updated in every iteration.
        pause_threshold: the threshold, 1 or more; None for no pauses.
        pause_average: a, in [0, 1), the decay of the running average.

    Attributes:
        updates: the number of iterations, so far, in which these rules let the discriminator be updated.

    Raises:
        ValueError: a number is out of its range; the message names its key.
    """

    def __init__(
        self, *, every: int = 1, pause_threshold: float | None = None, pause_average: float = 0.999
    ) -> None:
        key = "model.discriminator_steps"
        if every < 1:
            raise ValueError(f"{key}.every={every} must be 1 or more")
        if pause_threshold is not None and not 1 <= pause_threshold < math.inf:
            raise ValueError(
                f"{key}.pause_threshold={pause_threshold} must be finite and at least 1, or null for no pauses:"
                " below 1 the discriminator would rest while the objective stays as it is"
            )
        if not 0 <= pause_average < 1:
            raise ValueError(f"{key}.pause_average={pause_average} must be in [0, 1)")
        self.every = every
        self.pause_threshold = pause_threshold
        self.pause_average = pause_average
        self.updates = 0
        self._average: float | None = None

    @property
    def is_rule(self) -> bool:
        """Whether there may be an iteration without an update."""
        return self.every > 1 or self.pause_threshold is not None

    def due(self, number: int) -> bool:
        """Whether the turn is the discriminator's in an iteration, counted from the first in which both nets train."""
        return number % self.every == 0

    def take(self, number: int, *, objective: Tensor) -> bool:
        """Whether the discriminator is updated in an iteration; asked once in each, in their order.

        Every process must ask, since each waits for the others, and gets the same answer. With a threshold the CPU
        waits for the device here.

        Args:
            number: the iteration, counted from the first in which both nets train.
            objective: the generator's adversarial objective on this process, a scalar.
        """
        won = self.pause_threshold is not None and self._wins(float(mean_over_processes(objective)))
        taken = self.due(number) and not won
        self.updates += taken
        return taken

    def _wins(self, objective: float) -> bool:
        assert self.pause_threshold is not None
        if not math.isfinite(objective):
            return False  # nothing is updated in such an iteration
        before = objective if self._average is None else self._average
        self._average = self.pause_average * before + (1 - self.pause_average) * objective
        return objective > before + (self.pause_threshold - 1) * abs(before)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "average": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.updates, self._average = state["updates"], state["average"]
