"""The numbers of one iteration: what is minimised, and what is only looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self, overload

from torch import Tensor

Scalars = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What the nets minimise.

    Attributes:
        generator: scalar, the sum of all terms.
        discriminator: scalar; None while the discriminator is idle.
        adversarial: scalar, the generator's adversarial objective without its weight; None where it was not computed.
    """

    generator: Tensor
    discriminator: Tensor | None = None
    adversarial: Tensor | None = None

    def by_name(self) -> dict[str, Tensor]:
        """`loss_g` and, where there is one, `loss_d`, as they are called in the logs."""
        named = {"loss_g": self.generator}
        return named if self.discriminator is None else {**named, "loss_d": self.discriminator}


@dataclass(frozen=True, kw_only=True)
class StepValues:
    """The numbers of one batch or of one part of it: scalars without a graph, by name.

    Attributes:
        losses: the losses of the nets.
        terms: the weighted terms that the generator's loss is the sum of.
        logits: the means of the discriminator's answers; empty while it is idle.
        penalties: the terms that are added to the discriminator's loss in some iterations; empty in all others.
        metrics: the metric's means over the batch before the update; empty unless they were asked for.
        health: numbers that show whether adversarial training goes wrong (`sr.training.health`); empty unless they were
            asked for.
        factors: the factors of the terms that keep a share of the gradient (`sr.training.balance`), with which `terms`
            are multiplied already; empty where no term does.
    """

    losses: Losses
    terms: Scalars
    logits: Scalars = field(default_factory=dict)
    penalties: Scalars = field(default_factory=dict)
    metrics: Scalars = field(default_factory=dict)
    health: Scalars = field(default_factory=dict)
    factors: Scalars = field(default_factory=dict)

    def training(self) -> dict[str, Tensor]:
        """Terms, losses, logits, penalties and factors: the numbers that must be finite, or else no weight changes."""
        factors = {f"balance_{name}": factor for name, factor in self.factors.items()}
        return {**self.terms, **self.losses.by_name(), **self.logits, **self.penalties, **factors}

    @classmethod
    def mean(cls, parts: Sequence[Self]) -> Self:
        """The numbers of a batch from those of its parts, which are of equal size."""
        return cls(
            losses=Losses(
                generator=_mean([part.losses.generator for part in parts]),
                discriminator=_mean([part.losses.discriminator for part in parts]),
                adversarial=_mean([part.losses.adversarial for part in parts]),
            ),
            terms=_means([part.terms for part in parts]),
            logits=_means([part.logits for part in parts]),
            penalties=_means([part.penalties for part in parts]),
            metrics=_means([part.metrics for part in parts]),
            health=_means([part.health for part in parts]),
            factors=_means([part.factors for part in parts]),
        )


def _means(parts: Sequence[Scalars]) -> Scalars:
    return {name: _mean([part[name] for part in parts]) for name in parts[0]}


@overload
def _mean(values: Sequence[Tensor]) -> Tensor: ...
@overload
def _mean(values: Sequence[Tensor | None]) -> Tensor | None: ...
def _mean(values: Sequence[Tensor | None]) -> Tensor | None:
    """None where there are no values, in one part as in all."""
    present = [value / len(values) for value in values if value is not None]
    return sum(present[1:], start=present[0]) if present else None
