"""The running statistics of batch norms, which an iteration with bad numbers must not move."""

from collections.abc import Iterable

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn

from sr.ops.private_torch import AnyBatchNorm


def has_batch_norm(net: nn.Module) -> bool:
    """Whether what a net makes of an image depends on the other images of the batch."""
    return any(isinstance(module, AnyBatchNorm) for module in net.modules())


class NormStatistics:
    """Puts the running means and variances of nets back to where they were before an iteration.

    Args:
        nets: the nets that are trained.
    """

    def __init__(self, nets: Iterable[nn.Module]) -> None:
        modules = [module for net in nets for module in net.modules()]
        self._norms = [module for module in modules if isinstance(module, AnyBatchNorm)]
        self._buffers = [
            buffer for norm in self._norms for buffer in norm.buffers() if buffer.is_floating_point()
        ]

    def saved(self) -> list[Tensor]:
        return [buffer.clone() for buffer in self._buffers]

    def restore(self, before: list[Tensor], *, unless: Tensor) -> None:
        """Go back to what `saved` returned, if `unless` is 0.0; if it is 1.0, leave everything as it is."""
        for buffer, old in zip(self._buffers, before, strict=True):
            buffer.copy_(torch.where(unless > 0, buffer, old))

    def warn_of_several_processes(self) -> None:
        if any(type(norm) is nn.BatchNorm2d for norm in self._norms):
            rank_zero_warn(
                "batch norm takes its statistics per process, so several processes do not follow one exactly;"
                " on GPUs trainer.sync_batchnorm=true makes them"
            )
