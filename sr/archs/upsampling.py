"""Upsampling inside nets: by pixel shuffle, nearest and bilinear, with gradients that survive `torch.compile`.

Under `torch.compile` the backward of `F.interpolate` becomes an `index_put` into zeros, and when inductor
reorders the graph for peak memory (torch 2.13, on by default) it may read those zeros before they are filled:
RRDBNet under bf16 autocast on a CPU got a gradient of exactly zero in all that precedes its first upsampling,
and no error. Copies and slices have nothing to misorder. In eager mode they are slower, and they would export
as more than one operator, so they stand in only where dynamo traces.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.sizes import check_scale

# Scale -> the factors by which a net enlarges in turn.
SHUFFLE_STEPS: dict[int, tuple[int, ...]] = {1: (), 2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}


class PixelShuffleSteps(nn.Sequential):
    """A 3 x 3 convolution and a pixel shuffle for each factor: (N, C, H, W) -> (N, C, H*scale, W*scale).

    The layers are numbered in one count (`0.weight`, `2.weight`), as in the published files of EDSR, RCAN, SwinIR, HAT
    and DAT.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8.
    """

    def __init__(self, *, scale: int, num_feat: int) -> None:
        check_scale(scale, SHUFFLE_STEPS)
        layers: list[nn.Module] = []
        for step in SHUFFLE_STEPS[scale]:
            layers += [nn.Conv2d(num_feat, num_feat * step**2, 3, padding=1), nn.PixelShuffle(step)]
        super().__init__(*layers)


def upsample_nearest(image: Tensor, *, scale: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H*scale, W*scale), each pixel repeated."""
    if not torch.compiler.is_dynamo_compiling():
        return F.interpolate(image, scale_factor=scale, mode="nearest")
    batch, channels, height, width = image.shape
    repeated = image[:, :, :, None, :, None].expand(batch, channels, height, scale, width, scale)
    return repeated.reshape(batch, channels, height * scale, width * scale)


def double_bilinear(image: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, H*2, W*2), linear between pixel centres (`align_corners=False`)."""
    if not torch.compiler.is_dynamo_compiling():
        return F.interpolate(image, scale_factor=2, mode="bilinear", align_corners=False)
    return _doubled(_doubled(image, dim=2), dim=3)


def _doubled(image: Tensor, *, dim: int) -> Tensor:
    """Each pixel becomes two, a quarter of a pixel to either side of its centre; borders are continued."""
    size = image.shape[dim]
    before = torch.cat((image.narrow(dim, 0, 1), image.narrow(dim, 0, size - 1)), dim)
    after = torch.cat((image.narrow(dim, 1, size - 1), image.narrow(dim, size - 1, 1)), dim)
    pairs = torch.stack((0.75 * image + 0.25 * before, 0.75 * image + 0.25 * after), dim + 1)
    return pairs.flatten(dim, dim + 1)
