"""What training asks of a loss. Any class with these methods will do; one that is an nn.Module moves with the run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from sr.ops.wishes import wishes_of


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
    """(sr, target), both (N, C, H, W) in [0, 1] -> {name: weighted scalar}; the generator minimises their sum.

    One with an attribute `wants`, a set of names, is handed these by keyword in every call:

    - `iteration`: scalar, integer: the iteration, counted from 0 at the beginning of the stage that the loss is used
      in. It is a tensor, with which compiled code need not be compiled anew.
    - `average`: (N, C, H, W), the image that the averaged generator makes of the same LR image, without a graph. In
      validation it is `sr` itself, which is made by the averaged generator there.
    """

    def __call__(self, sr: Tensor, target: Tensor, /) -> Mapping[str, Tensor]: ...


def content_terms(
    loss: ContentLoss, sr: Tensor, target: Tensor, *, iteration: int, average: Callable[[], Tensor]
) -> Mapping[str, Tensor]:
    """The terms of a content loss, which is given what it wants and costs nothing more.

    Args:
        loss: the loss.
        sr: (N, C, H, W).
        target: (N, C, H, W) in [0, 1].
        iteration: the iteration, counted from 0 at the beginning of the stage that the loss is used in.
        average: computes the image of the averaged generator, only if the loss wants it.
    """
    wants = wishes_of(loss)
    given: dict[str, Tensor] = {}
    if "iteration" in wants:
        given["iteration"] = torch.full((), iteration, device=sr.device)  # which does not wait for the device
    if "average" in wants:
        given["average"] = average()
    terms: Mapping[str, Tensor] = loss(sr, target, **given)
    return terms


def named_terms(loss: ContentLoss) -> list[str] | None:
    """The names of the terms of a loss that tells them before it is called, by a mapping `terms`; else None."""
    terms = getattr(loss, "terms", None)
    return [*terms] if isinstance(terms, Mapping | nn.ModuleDict) else None
