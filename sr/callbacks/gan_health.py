"""Warnings, in plain words, of adversarial training that goes wrong."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import lightning as L
from lightning.pytorch.utilities import rank_zero_only
from tqdm import tqdm

log = logging.getLogger(__name__)

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Ailment:
    """Something that can go wrong, and the words that say what to do about it.

    Attributes:
        name: a name for it.
        needs: the keys without which it cannot be told.
        holds: numbers by key -> whether it is the case.
        words: the warning, with the numbers as fields.
    """

    name: str
    needs: tuple[str, ...]
    holds: Callable[[Numbers], bool]
    words: str


def _vanishing(numbers: Numbers) -> bool:
    content = sum(value for key, value in numbers.items() if key.startswith("health/gradient_"))
    adversarial = numbers["health/gradient_adversarial"]
    return adversarial < 1e-3 * (content - adversarial)


AILMENTS = (
    Ailment(
        "discriminator wins",
        ("health/accuracy_d",),
        lambda numbers: numbers["health/accuracy_d"] > 0.99,
        "the discriminator tells real from generated images everywhere (health/accuracy_d {health/accuracy_d:.3f}), so"
        " the generator learns little from it: lower optimizer_d.lr, or begin with a better generator",
    ),
    Ailment(
        "adversarial gradient vanishes",
        ("health/gradient_adversarial",),
        _vanishing,
        "the adversarial loss hardly moves the generator any more (health/gradient_adversarial"
        " {health/gradient_adversarial:.2e}, under a thousandth of the other losses): raise model.gan_weight, or take"
        " another gan_loss",
    ),
    Ailment(
        "colours drift",
        ("health/colour_drift",),
        # 0.3 to 0.8 in runs that went well, 2 to 120 in one that did not.
        lambda numbers: numbers["health/colour_drift"] > 2.5,
        "colours drift from those of the HR images (health/colour_drift {health/colour_drift:.1f} levels of 255, as"
        " means over 16 x 16 pixels): raise the weight of the pixel loss, or lower model.gan_weight or optimizer_g.lr",
    ),
)


class GANHealth(L.Callback):
    """Reads the `health/` numbers whenever they are logged, and warns once of an ailment that lasts.

    Args:
        patience: the number of logs in a row that an ailment must last for a warning, and must be absent before the
            warning can be repeated.
    """

    def __init__(self, *, patience: int = 5) -> None:
        if patience < 1:
            raise ValueError(f"patience={patience} must be 1 or more")
        self._seen = {ailment.name: deque[bool](maxlen=patience) for ailment in AILMENTS}
        self._told: set[str] = set()

    @rank_zero_only
    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        if trainer.global_step % trainer.log_every_n_steps:  # type: ignore[attr-defined]
            return
        metrics = (
            trainer.callback_metrics
        )  # as logged: the means over all processes, which no process has itself
        self.look({key: float(value) for key, value in metrics.items() if key.startswith("health/")}, trainer)

    def look(self, numbers: Numbers, trainer: L.Trainer) -> None:
        for ailment in AILMENTS:
            if not all(key in numbers for key in ailment.needs):
                continue
            seen = self._seen[ailment.name]
            seen.append(ailment.holds(numbers))
            if len(seen) < (seen.maxlen or 0):
                continue
            if all(seen) and ailment.name not in self._told:
                self._told.add(ailment.name)
                with tqdm.external_write_mode():  # the line goes above the progress bar, not into it
                    log.warning("iteration %d: %s", trainer.global_step, ailment.words.format(**numbers))
            if not any(seen):
                self._told.discard(ailment.name)
