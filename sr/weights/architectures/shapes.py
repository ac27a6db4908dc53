"""What all architectures read off the shapes of tensors."""

from math import isqrt

from torch import Tensor

from sr.weights.dialects import Weights

# By how much a pixel shuffle enlarges that leaves one channel of so many.
_STEPS = {4: 2, 9: 3}


def tensor(weights: Weights, name: str, *, dims: int) -> Tensor:
    """A tensor with so many dimensions, none of them empty.

    Raises:
        ValueError: it is missing, or has another shape.
    """
    found = weights.get(name)
    if found is None or found.dim() != dims or 0 in found.shape:
        shape = "missing" if found is None else tuple(found.shape)
        raise ValueError(f"{name} is {shape}, but a tensor of {dims} dimensions is expected")
    return found


def root(square: int, *, name: str) -> int:
    """The side of a square. Raises ValueError with the `name` of the tensor if the number is no square."""
    if square < 1 or isqrt(square) ** 2 != square:
        raise ValueError(f"{name} shows {square} where a square number is expected")
    return isqrt(square)


def ratio(large: int, small: int) -> float:
    """The factor for which `int(small * factor)` is `large`, whatever rounding does."""
    found = large / small
    return found if int(small * found) == large else (large + 0.5) / small


def shuffle_scale(weights: Weights, prefix: str) -> int:
    """By how much the convolutions of `sr.archs.upsampling.PixelShuffleSteps` enlarge; 1 without any.

    Args:
        weights: all tensors of the net.
        prefix: the name of the convolutions before their number, such as "upsample.".

    Raises:
        ValueError: a convolution has other than 4 or 9 times as many channels at its end.
    """
    scale = 1
    for name in weights:
        number = name.removeprefix(prefix).removesuffix(".weight")
        if name == f"{prefix}{number}.weight" and number.isdigit():
            outputs, inputs = tensor(weights, name, dims=4).shape[:2]
            if outputs % inputs or outputs // inputs not in _STEPS:
                raise ValueError(
                    f"{name} is {tuple(weights[name].shape)}: known are pixel shuffles by 2 and 3"
                )
            scale *= _STEPS[outputs // inputs]
    return scale


def direct_scale(weights: Weights, name: str, *, channels: int) -> int:
    """By how much a single convolution and a pixel shuffle enlarge, to a picture with so many channels.

    Raises:
        ValueError: the convolution does not have a square number of times as many.
    """
    outputs = tensor(weights, name, dims=4).shape[0]
    scale = isqrt(outputs // channels)
    if scale**2 * channels != outputs:
        raise ValueError(f"{name} has {outputs} channels, which are no square number times {channels}")
    return scale
