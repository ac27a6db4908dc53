"""What an iteration has of the discriminator."""

from dataclasses import dataclass, field

from torch import Tensor

from sr.training.step_values import Scalars


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The answers of the discriminator and all that follows from them; all but `pull` is missing while it idles.

    Attributes:
        pull: a scalar, the gradient of which is that of the discriminator.
        push: (N, C, H, W), the gradient of the generator's `terms` at the generated images.
        pushes: term -> its part of `push`; empty unless it was asked for.
        terms: the terms of the generator's loss that the discriminator gives, without a graph, as are all scalars here.
        objective: the adversarial objective of the generator, without its weight.
        loss_d: the loss of the discriminator, without penalties.
        penalties: the penalties on the discriminator by name.
        logits: the means of its answers.
        health: numbers of `sr.training.health`; empty unless they were asked for.
    """

    pull: Tensor
    push: Tensor | None = None
    pushes: Scalars = field(default_factory=dict)
    terms: Scalars = field(default_factory=dict)
    objective: Tensor | None = None
    loss_d: Tensor | None = None
    penalties: Scalars = field(default_factory=dict)
    logits: Scalars = field(default_factory=dict)
    health: Scalars = field(default_factory=dict)
