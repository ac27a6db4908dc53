"""What training asks of a loss. Any class with these methods will do; one that is an nn.Module moves with the run."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class GANObjective(Protocol):
    """What a generator and a discriminator minimise, on the logits of real and generated images: scalars."""

    def generator(self, *, real: Tensor, fake: Tensor) -> Tensor: ...

    def discriminator(self, *, real: Tensor, fake: Tensor) -> Tensor: ...


class ContentLoss(Protocol):
    """(sr, target), both (N, C, H, W) in [0, 1] -> {name: weighted scalar}; the generator minimises their sum."""

    def __call__(self, sr: Tensor, target: Tensor, /) -> Mapping[str, Tensor]: ...
