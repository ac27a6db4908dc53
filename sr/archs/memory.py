"""The choice of what deep nets keep in memory for the backward pass.

"plain" is what autograd keeps of its own accord. "checkpoint" is the input of every block alone, and the blocks run
twice. "auto" is "plain" for the net itself; `sr-train` replaces it by a choice that suits the free memory before it
builds the net (docs/performance.md).
"""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Memory = Literal["auto", "plain", "checkpoint"]


def run_block(block: Callable[..., Tensor], features: Tensor, *others: object, memory: str) -> Tensor:
    """The result of a block of a net.

    With memory="checkpoint" only its input is kept for the backward pass, which runs the block again. Without gradients
    nothing is kept anyway.

    Args:
        block: the block, which draws nothing at random: it would draw something else when it is run again.
        features: its input.
        others: its other arguments.
        memory: see `Memory`.
    """
    if memory == "checkpoint" and features.requires_grad:
        result: Tensor = checkpoint(block, features, *others, use_reentrant=False, preserve_rng_state=False)
        return result
    return block(features, *others)


def move_statistics_once(net: nn.Module) -> None:
    """Halve the step of batch norms in blocks that run twice, so that two of them move the statistics as far as one."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.momentum is not None
            layer.momentum = 1 - (1 - layer.momentum) ** 0.5
