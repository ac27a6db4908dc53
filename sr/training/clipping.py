"""The norm of a gradient, and clipping it."""

from torch import Tensor, nn


def clipped_norm(net: nn.Module, *, largest: float | None) -> Tensor:
    """The norm of a net's gradient, which is then clipped in place to `largest`; None does not clip."""
    norm = nn.utils.get_total_norm([each.grad for each in net.parameters() if each.grad is not None])
    if largest is not None:
        nn.utils.clip_grads_with_norm_(net.parameters(), largest, norm)
    return norm
