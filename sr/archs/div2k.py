"""The mean colour of DIV2K, which nets trained on it subtract from their input."""

import torch
from torch import Tensor

# Red, green and blue in [0, 1] (EDSR, Lim et al. 2017; its authors' code).
RGB_MEAN = (0.4488, 0.4371, 0.4040)


def mean_colour(channels: int) -> Tensor:
    """(1, channels, 1, 1): the mean of DIV2K for three channels, and zero for others, which have no published mean."""
    mean = RGB_MEAN if channels == len(RGB_MEAN) else [0.0] * channels
    return torch.tensor(mean).reshape(1, channels, 1, 1)
