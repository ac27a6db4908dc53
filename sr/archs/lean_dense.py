"""The dense block of RRDBNet as one step of autograd, which keeps a quarter of what autograd would keep."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sr.archs.autocast import without_autocast

SLOPE = 0.2


def lean_dense(features: Tensor, weights: list[Tensor], biases: list[Tensor]) -> Tensor:
    """The output of the last of five densely connected 3 x 3 convolutions, without the residual around them.

    (N, C, H, W) -> (N, C, H, W). Convolution k sees `features` and the (leaky) results of all before it. Autograd
    would keep the input of every convolution and of every activation: for 64 features and growth 32 that is 64 + 96 +
    128 + 160 + 192 + 4 * 32 = 768 channels. All of them are parts of the last input, of 192; the derivative of the
    activation follows from the sign of its result. Under autocast it computes in autocast's dtype, as convolutions do.

    Args:
        features: the input of the block.
        weights: the weights of the five convolutions, in their order.
        biases: the biases of the five convolutions, in their order.
    """
    result: Tensor = _LeanDense.apply(features, *weights, *biases)  # type: ignore[no-untyped-call]
    return result


class _LeanDense(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, *parameters: Tensor) -> Tensor:
        with without_autocast(features.device.type) as dtype:
            dtype = dtype or features.dtype
            weights, biases = _halves([parameter.to(dtype) for parameter in parameters])
            ends = [weight.shape[1] for weight in weights]  # how many channels each convolution sees
            dense = _empty_like(features, channels=ends[-1], dtype=dtype)
            dense[:, : ends[0]] = features
            for weight, bias, end, next_end in zip(weights, biases, ends, ends[1:], strict=False):
                dense[:, end:next_end] = F.leaky_relu(
                    F.conv2d(dense[:, :end], weight, bias, padding=1), SLOPE
                )
            branch = F.conv2d(dense, weights[-1], biases[-1], padding=1)
        ctx.save_for_backward(dense, *parameters)
        ctx.features_dtype = features.dtype
        return branch

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        dense, *parameters = ctx.saved_tensors
        weights, biases = _halves(parameters)
        with without_autocast(grad.device.type):
            into_dense, grad_weight, grad_bias = _convolution_backward(grad, dense, weights[-1])
            grad_weights, grad_biases = [grad_weight], [grad_bias]
            for weight, later in zip(weights[-2::-1], weights[:0:-1], strict=True):
                end, next_end = weight.shape[1], later.shape[1]
                grad = into_dense[:, end:next_end]
                grad = torch.where(dense[:, end:next_end] > 0, grad, SLOPE * grad)
                into_seen, grad_weight, grad_bias = _convolution_backward(grad, dense[:, :end], weight)
                into_dense = into_dense[:, :end] + into_seen
                grad_weights.append(grad_weight)
                grad_biases.append(grad_bias)
        ordered = [*reversed(grad_weights), *reversed(grad_biases)]
        typed = (each.to(like.dtype) for each, like in zip(ordered, (*weights, *biases), strict=True))
        return into_dense.to(ctx.features_dtype), *typed


def _halves(parameters: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    middle = len(parameters) // 2
    return parameters[:middle], parameters[middle:]


def _empty_like(features: Tensor, *, channels: int, dtype: torch.dtype) -> Tensor:
    number, _, height, width = features.shape
    layout = (
        torch.channels_last
        if features.is_contiguous(memory_format=torch.channels_last)
        else torch.contiguous_format
    )
    return torch.empty(
        (number, channels, height, width), dtype=dtype, device=features.device, memory_format=layout
    )


def _convolution_backward(grad: Tensor, seen: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of a 3 x 3 convolution with padding 1: of its input, its weight and its bias."""
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        grad.to(seen.dtype),
        seen,
        weight.to(seen.dtype),
        [weight.shape[0]],
        *([1, 1], [1, 1], [1, 1], False, [0, 0], 1),  # stride, padding, dilation, not transposed, groups
        [True, True, True],
    )
    return found
