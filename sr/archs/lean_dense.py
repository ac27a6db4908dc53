"""The dense block of RRDBNet as one step of autograd, which keeps a quarter of what autograd would keep."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from sr.archs.autocast import without_autocast

SLOPE = 0.2


def lean_dense(
    features: Tensor, weights: list[Tensor], biases: list[Tensor], residual: Tensor | None = None
) -> Tensor:
    """The output of the last of five densely connected 3 x 3 convolutions, without the residual around them.

    (N, C, H, W) -> (N, C, H, W). Convolution k sees `features` and the (leaky) results of all before it. Autograd
    would keep the input of every convolution and of every activation: for 64 features and growth 32 that is 64 + 96 +
    128 + 160 + 192 + 4 * 32 = 768 channels. All of them are parts of the last input, of 192; the derivative of the
    activation follows from the sign of its result. Under autocast it computes in autocast's dtype, as convolutions do.

    Args:
        features: the input of the block.
        weights: the weights of the five convolutions, in their order.
        biases: the biases of the five convolutions, in their order.
        residual: an image that is added to the result of the second convolution, and that sum to the result of the
            fourth (ESRGAN+, fig. 3); None adds nothing. Both results are then kept too, since a sum hides their signs.
    """
    result: Tensor = _LeanDense.apply(features, residual, *weights, *biases)  # type: ignore[no-untyped-call]
    return result


class _LeanDense(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, residual: Tensor | None, *parameters: Tensor) -> Tensor:
        hidden = []  # results that a residual was added to
        with without_autocast(features.device.type) as dtype:
            dtype = dtype or features.dtype
            weights, biases = _halves([parameter.to(dtype) for parameter in parameters])
            ends = [weight.shape[1] for weight in weights]  # how many channels each convolution sees
            dense = _empty_like(features, channels=ends[-1], dtype=dtype)
            dense[:, : ends[0]] = features
            added = residual
            for number in range(4):
                end, next_end = ends[number : number + 2]
                seen = F.conv2d(dense[:, :end], weights[number], biases[number], padding=1)
                dense[:, end:next_end] = result = F.leaky_relu(seen, SLOPE)
                if added is not None and number % 2:
                    hidden.append(result)
                    dense[:, end:next_end] += added
                    added = dense[:, end:next_end]
            branch = F.conv2d(dense, weights[-1], biases[-1], padding=1)
        ctx.save_for_backward(dense, *hidden, *parameters)
        ctx.hidden = len(hidden)
        ctx.dtypes = features.dtype, None if residual is None else residual.dtype
        return branch

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        dense, *saved = ctx.saved_tensors
        hidden, (weights, biases) = saved[: ctx.hidden], _halves(saved[ctx.hidden :])
        ends = [weight.shape[1] for weight in weights]
        grad_residual = None
        with without_autocast(grad.device.type):
            into_dense, grad_weight, grad_bias = _convolution_backward(grad, dense, weights[-1])
            grad_weights, grad_biases = [grad_weight], [grad_bias]
            for number in reversed(range(4)):
                end, next_end = ends[number : number + 2]
                grad, result = into_dense[:, end:next_end], dense[:, end:next_end]
                if hidden and number % 2:
                    result = hidden[number // 2]
                    if number == 3:  # its residual is the sum of the second convolution
                        into_dense[:, ends[1] : ends[2]] += grad
                    else:
                        grad_residual = grad
                # One kernel; True: the sign is that of the result.
                grad = torch.ops.aten.leaky_relu_backward(grad, result, SLOPE, True)
                into_seen, grad_weight, grad_bias = _convolution_backward(
                    grad, dense[:, :end], weights[number]
                )
                into_dense = into_dense[:, :end] + into_seen
                grad_weights.append(grad_weight)
                grad_biases.append(grad_bias)
        ordered = [*reversed(grad_weights), *reversed(grad_biases)]
        typed = (each.to(like.dtype) for each, like in zip(ordered, (*weights, *biases), strict=True))
        of_features, of_residual = ctx.dtypes
        return (
            into_dense.to(of_features),
            None if grad_residual is None else grad_residual.to(of_residual),
            *typed,
        )


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
