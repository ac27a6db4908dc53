"""First weights with which a plain stack of convolutions is bicubic upsampling.

Measured on `experiment=quickstart`, which has the nearest skip: after 2,400 iterations of L1 it is as good as with a
bicubic skip, and with random first weights 0.2 dB worse (docs/results.md).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from sr.archs.bicubic import upsample_bicubic
from sr.archs.upsampling import upsample_nearest

_CORNERS = ((0, 0), (0, 2), (2, 0), (2, 2))  # of a 3 x 3 kernel


def start_at_bicubic(convs: Sequence[nn.Conv2d], *, scale: int) -> None:
    """Set weights with which the stack gives bicubic minus nearest upsampling, but for two pixels at the border.

    The first features carry the image, which no activation changes, because it has no negative values. The last but one
    convolution makes four copies of it, each moved to a corner, so that the last one, with its 3 x 3 taps, reaches the
    5 x 5 pixels that bicubic looks at. All other features keep their weights.

    Nothing is done to a stack with fewer than four features for each channel, which has no room for the copies.

    Args:
        convs: three or more convolutions of 3 x 3; a pixel shuffle of the last has as many channels as the first takes.
        scale: the factor of enlargement, 1 or more.
    """
    *before, hidden, last = convs
    channels = range(convs[0].in_channels)
    if hidden.out_channels < len(_CORNERS) * len(channels):
        return
    with torch.no_grad():
        for conv in before:
            conv.weight[: len(channels)] = 0
            for channel in channels:
                conv.weight[channel, channel, 1, 1] = 1
        hidden.weight[: len(_CORNERS) * len(channels)] = 0
        for number, corner in enumerate(_CORNERS):
            taps = _corner_taps(upsample_bicubic, corner, scale=scale)
            taps -= _corner_taps(upsample_nearest, corner, scale=scale)
            for channel in channels:
                feature = number * len(channels) + channel
                hidden.weight[feature, channel, *corner] = 1
                last.weight[channel * scale**2 : (channel + 1) * scale**2, feature] = taps


def _corner_taps(upsample: Callable[..., Tensor], corner: tuple[int, int], *, scale: int) -> Tensor:
    """(scale**2, 3, 3): what an upsampling takes of the pixels that the taps reach from a copy moved to this corner."""
    # What each of five pixels in a row gives to the `scale` pixels that the middle one becomes.
    five = upsample(torch.eye(5).view(5, 1, 1, 5), scale=scale)[:, 0, 0, 2 * scale : 3 * scale].T
    # The middle one is within reach of the copies on both sides, and either takes half of it.
    rows, columns = ((five * torch.tensor([1, 1, 0.5, 1, 1]))[:, place : place + 3] for place in corner)
    return torch.einsum("py,qx->pqyx", rows, columns).flatten(0, 1)
