"""Short filters along one axis, as weighted sums of shifted images."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def shifted_sum(images: Tensor, weights: Sequence[float], *, dim: int) -> Tensor:
    """sum_k weights[k] * images[i + k] at every position i along `dim` where all weights lie inside the image.

    (..., L, ...) -> (..., L - len(weights) + 1, ...), in the type of the images whatever autocast and the settings of
    TF32 say: those change products of matrices and convolutions, which a variance of nearly equal numbers does not
    survive. On a CPU in double precision it takes a fraction of the time of a convolution.
    """
    result: Tensor = _ShiftedSum.apply(images, tuple(weights), dim)  # type: ignore[no-untyped-call]
    return result


class _ShiftedSum(torch.autograd.Function):
    # Left to autograd, the gradient of each shift would fill an image with zeros.
    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: tuple[float, ...], dim: int) -> Tensor:
        ctx.weights, ctx.dim = weights, dim
        length = images.shape[dim] - len(weights) + 1
        total = torch.zeros_like(images.narrow(dim, 0, length))
        for start, weight in enumerate(weights):
            if weight:
                total.add_(images.narrow(dim, start, length), alpha=weight)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        padding = [0, 0] * gradient.ndim
        place = 2 * (gradient.ndim - 1 - ctx.dim % gradient.ndim)  # F.pad counts from the last axis
        padding[place] = padding[place + 1] = len(ctx.weights) - 1
        return shifted_sum(F.pad(gradient, padding), ctx.weights[::-1], dim=ctx.dim), None, None
