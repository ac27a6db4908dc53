"""What nets with pixel shuffles show of their scale."""

import re

from sr.weights.dialects import Weights


def shuffled_scale(weights: Weights, prefix: str) -> int:
    """The scale of the `PixelShuffleSteps` whose tensors begin with `prefix`; 1 without any.

    Raises:
        ValueError: a convolution has other than 4 or 9 times as many channels at its end.
    """
    scale = 1
    for key, value in weights.items():
        if re.fullmatch(re.escape(prefix) + r"\d+\.weight", key):
            factor = {4: 2, 9: 3}.get(value.shape[0] // value.shape[1], 0)
            if not factor or value.shape[0] % value.shape[1]:
                raise ValueError(f"{key} is {tuple(value.shape)}: known are pixel shuffles by 2 and 3")
            scale *= factor
    return scale
