"""What a discriminator gives: a map of logits, or one map for each of several discriminators in one."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

LogitMaps = tuple[Tensor, ...]


def logit_maps(output: Tensor | Iterable[Tensor]) -> LogitMaps:
    """The maps of a discriminator's output, a single one if it is a tensor."""
    return (output,) if isinstance(output, Tensor) else tuple(output)


def split(maps: LogitMaps) -> tuple[LogitMaps, LogitMaps]:
    """The maps of the first half of the batch, and of the second."""
    halves = [each.chunk(2) for each in maps]
    return tuple(first for first, _ in halves), tuple(second for _, second in halves)


def detached(maps: LogitMaps) -> LogitMaps:
    return tuple(each.detach() for each in maps)


def average(measure: Callable[..., Tensor], **maps: LogitMaps) -> Tensor:
    """The mean over the maps of a function of each: every discriminator has the same weight, whatever its size.

    pix2pixHD (Wang et al., 2018, eq. 3) has the sum. The mean leaves the weight of the objective beside other losses as
    it is with one discriminator. Averages inside an objective (of a relativistic one) are those of each map, for logits
    of different discriminators have no common zero.

    Args:
        measure: an objective or another function, which takes a map of each by keyword.
        maps: as many maps of each.
    """
    one_by_one = zip(*maps.values(), strict=True)
    values = [measure(**dict(zip(maps, each, strict=True))) for each in one_by_one]
    return torch.stack(values).mean()
