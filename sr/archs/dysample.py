"""DySample: upsampling at learned places."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DySample(nn.Module):
    """Every pixel of the larger image is read from the smaller one, bilinearly, at a place that the features say.

    (N, in_channels, H, W) -> (N, out_channels, H*scale, W*scale). Each of `groups` parts of the channels has places of
    its own: the regular grid plus an offset, in pixels, of half of offset(x) * sigmoid(scope(x)) ("dynamic scope"), by
    1 x 1 convolutions. Beyond the border the image is continued. A last 1 x 1 convolution mixes the groups
    (`mix=False` leaves it out, and then `in_channels` must be `out_channels`). Places are computed in fp32 at least.

    Source: Liu et al., "Learning to upsample by learning to sample", 2023, sec. 3, in the form in which RealPLKSR uses
    it, whose parameter names these are. `init_pos` is a buffer, since published files hold it.
    Raises ValueError if `in_channels` is not a multiple of `groups`.
    """

    def __init__(self, *, in_channels: int, out_channels: int, scale: int, groups: int, mix: bool) -> None:
        super().__init__()
        if in_channels % groups:
            raise ValueError(f"in_channels={in_channels} must be a multiple of groups={groups}")
        self.scale = scale
        self.groups = groups
        self.offset = nn.Conv2d(in_channels, 2 * groups * scale**2, 1)
        self.scope = nn.Conv2d(in_channels, 2 * groups * scale**2, 1, bias=False)
        # Start on the regular grid, almost: small offsets, all of them halved.
        nn.init.trunc_normal_(self.offset.weight, std=0.02)
        assert self.offset.bias is not None
        nn.init.zeros_(self.offset.bias)
        nn.init.zeros_(self.scope.weight)
        self.init_pos: Tensor
        self.register_buffer("init_pos", _regular(scale, groups))
        # The last one, because the gradients of all losses pass through it.
        self.end_conv = nn.Conv2d(in_channels, out_channels, 1) if mix else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        batch, _, height, width = features.shape
        exact = torch.promote_types(features.dtype, torch.float32)
        offset = 0.5 * (self.offset(features) * torch.sigmoid(self.scope(features))).to(exact) + self.init_pos
        # (batch, 2, groups * scale**2, H, W): x and y in pixels, then in [-1, 1] from border to border.
        right, down = offset.reshape(batch, 2, -1, height, width).unbind(1)
        x = (right + torch.arange(width, device=offset.device) + 0.5) * (2 / width) - 1
        y = (down + torch.arange(height, device=offset.device)[:, None] + 0.5) * (2 / height) - 1
        places = torch.stack([F.pixel_shuffle(each, self.scale) for each in (x, y)], dim=-1)
        parts = features.to(exact).reshape(batch * self.groups, -1, height, width)
        sampled = F.grid_sample(
            parts, places.flatten(0, 1), mode="bilinear", padding_mode="border", align_corners=False
        )
        mixed: Tensor = self.end_conv(
            sampled.reshape(batch, -1, height * self.scale, width * self.scale).to(features.dtype)
        )
        return mixed


def _regular(scale: int, groups: int) -> Tensor:
    """(1, 2 * groups * scale**2, 1, 1): x, then y of the new pixels, from the middle of the old one, in old pixels."""
    steps = (torch.arange(scale) + 0.5) / scale - 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack((x, y)).reshape(2, 1, -1).repeat(1, groups, 1).reshape(1, -1, 1, 1)
