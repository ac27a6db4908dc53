"""What all architectures read off the shapes of tensors."""

from math import isqrt

from torch import Tensor

from sr.weights.dialects import Weights


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
    """By how much convolutions with pixel shuffles enlarge, see `sr.archs.upsampling.PixelShuffleSteps`.

    Args:
        weights: all tensors of the net.
        prefix: the name of the convolutions before their number, such as "upsample.".

    Raises:
        ValueError: a convolution does not have a square number of times its input channels.
    """
    scale = 1
    for name in weights:
        number = name.removeprefix(prefix).removesuffix(".weight")
        if name == f"{prefix}{number}.weight" and number.isdigit():
            outputs, inputs = tensor(weights, name, dims=4).shape[:2]
            scale *= root(outputs // inputs if outputs % inputs == 0 else 0, name=name)
    return scale
