"""The choice of what deep nets keep in memory for the backward pass."""

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor
from torch.utils.checkpoint import checkpoint

Memory = Literal["plain", "checkpoint"]


def check_memory(memory: str, choices: object = Memory) -> None:
    """Raises ValueError if `memory` is none of the strings of the Literal `choices`."""
    if memory not in get_args(choices):
        raise ValueError(f"memory={memory!r}: choose one of {', '.join(get_args(choices))}")


def run_block(
    block: Callable[..., Tensor], features: Tensor, *others: object, memory: str, draws: bool = False
) -> Tensor:
    """The result of a block of a net.

    With memory="checkpoint" only its input is kept for the backward pass, which runs the block again. Without gradients
    nothing is kept anyway.

    Args:
        block: the block.
        features: its input.
        others: its other arguments.
        memory: see `Memory`.
        draws: whether the block draws at random (stochastic depth), so that it must draw the same again.
    """
    if memory == "checkpoint" and features.requires_grad:
        result: Tensor = checkpoint(block, features, *others, use_reentrant=False, preserve_rng_state=draws)
        return result
    return block(features, *others)
