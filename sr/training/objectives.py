"""What training asks of a loss. Any class with these methods will do; one that is an nn.Module moves with the run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from torch import Tensor


class GANObjective(Protocol):
    """What a generator and a discriminator minimise, on the logits of real and generated images: scalars."""

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor: ...

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor: ...


class GANPenalty(Protocol):
    """What the discriminator minimises besides, by the gradients of its logits at images: a scalar.

    `taken_at` says in which updates of the discriminator, counted from 0.
    """

    def __call__(
        self, logits: Callable[[Tensor], Sequence[Tensor]], /, *, real: Tensor, fake: Tensor
    ) -> Tensor: ...

    def taken_at(self, update: int) -> bool: ...


class FeatureObjective(Protocol):
    """(features of real images, of generated ones), by layer, one tensor for each call of it -> weighted scalar.

    `weight` is 0 for no such term, and `layers` names submodules of the discriminator, or is None for the usual ones.
    """

    weight: float

    @property
    def layers(self) -> Mapping[str, float] | None: ...

    def __call__(
        self, *, real: Mapping[str, Sequence[Tensor]], fake: Mapping[str, Sequence[Tensor]]
    ) -> Tensor: ...


class ContentLoss(Protocol):
    """(sr, target), both (N, C, H, W) in [0, 1] -> {name: weighted scalar}; the generator minimises their sum."""

    def __call__(self, sr: Tensor, target: Tensor, /) -> Mapping[str, Tensor]: ...
