"""OmniSR: attention over pixels and over channels in turn, in windows of neighbours and of pixels far apart."""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.memory import Memory, run_block
from sr.archs.omni_attention import HEADS, ChannelAttention, Picture, PixelAttention, Windows
from sr.archs.sizes import check_choice, check_scale, check_sizes
from sr.archs.spatial_attention import SMALLEST, EnhancedSpatialAttention

_SCALES = (1, 2, 3, 4, 8)


class OmniSR(nn.Module):
    """The light net of omni self-attention.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1. Zeros
    are added to the right and below until both sides are multiples of `window_size` and no less than 15, and the
    result is cropped. The squeeze of the local convolution, the windows of pixels far apart and the second attention
    over channels see the whole picture, so a tile of a picture gives other values than the picture.

    Source: Wang et al., "Omni Aggregation Networks for Lightweight Image Super-Resolution", CVPR 2023, sec. 3, and
    the authors' code, whose parameter names these are. There too, the biases of the blocks do not follow `bias`. The
    authors trained on images in [-1, 1]: their files want 2 * lr - 1 and give 2 * sr - 1, which no tensor shows.

    Args:
        scale: upscaling factor.
        in_channels: channels of the input.
        out_channels: channels of the result.
        num_feat: features, a multiple of 4, the number of heads.
        num_group: omni-scale aggregation groups (`res_num` in the authors' option files).
        num_block: omni self-attention blocks of a group.
        window_size: side of the windows.
        pe: whether attention over pixels has a learned bias for each offset between two of them.
        bias: whether the convolutions outside of the blocks have biases.
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8, a `num_*` is below 1, `num_feat` is no multiple of 4,
            `window_size` is below 5, or `memory` is unknown.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_group: int = 5,
        num_block: int = 1,
        window_size: int = 8,
        pe: bool = True,
        bias: bool = True,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_group=num_group, num_block=num_block)
        check_scale(scale, _SCALES)
        check_choice("memory", memory, Memory)
        if num_feat % HEADS:
            raise ValueError(f"num_feat={num_feat} must be a multiple of {HEADS}, the number of heads")
        if window_size < 5:
            raise ValueError(f"window_size={window_size} must be 5 or more")
        self.scale = scale
        self.window_size = window_size
        self.input = nn.Conv2d(in_channels, num_feat, 3, padding=1, bias=bias)
        self.residual_layer = nn.Sequential(
            *(
                OmniGroup(
                    num_feat=num_feat,
                    num_block=num_block,
                    window_size=window_size,
                    pe=pe,
                    bias=bias,
                    memory=memory,
                )
                for _ in range(num_group)
            )
        )
        self.output = nn.Conv2d(num_feat, num_feat, 3, padding=1, bias=bias)
        self.up = nn.Sequential(
            nn.Conv2d(num_feat, out_channels * scale**2, 3, padding=1, bias=bias), nn.PixelShuffle(scale)
        )

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        right, below = (self._missing(side) for side in (width, height))
        shallow = self.input(F.pad(lr, (0, right, 0, below)))
        features = shallow + self.output(self.residual_layer(shallow))
        sr: Tensor = self.up(features)
        return sr[..., : height * self.scale, : width * self.scale]

    def _missing(self, side: int) -> int:
        """How many pixels a side lacks to whole windows, and as many of them as spatial attention needs."""
        windows = (side + self.window_size - 1) // self.window_size
        least = (SMALLEST + self.window_size - 1) // self.window_size
        # The quotient adds what a small picture lacks (`least` is 3 at most), without a branch for exporters.
        return (windows + (least - 1) // windows) * self.window_size - side


class OmniGroup(nn.Module):
    """Omni-scale aggregation group: blocks, a residual around them, and spatial attention (fig. 3)."""

    def __init__(
        self, *, num_feat: int, num_block: int, window_size: int, pe: bool, bias: bool, memory: Memory
    ) -> None:
        super().__init__()
        self.memory = memory
        blocks = (OmniBlock(num_feat=num_feat, window_size=window_size, pe=pe) for _ in range(num_block))
        self.residual_layer = nn.Sequential(*blocks, nn.Conv2d(num_feat, num_feat, 1, bias=bias))
        self.esa = EnhancedSpatialAttention(num_feat=num_feat, hidden=max(num_feat // 4, 16))

    def forward(self, features: Tensor) -> Tensor:
        deep = features
        for layer in self.residual_layer:
            deep = run_block(layer, deep, memory=self.memory)
        attended: Tensor = self.esa(deep + features)
        return attended


class OmniBlock(nn.Module):
    """A local convolution, then omni self-attention twice: among neighbours (meso) and over the picture (global).

    Each attends over the pixels of its windows first and over channels second (fig. 2). The published names count the
    changes between pictures and windows as layers.
    """

    def __init__(self, *, num_feat: int, window_size: int, pe: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [LocalConv(num_feat)]
        for far in (False, True):
            layers += [
                Windows(window_size, far=far),
                PixelResidual(num_feat, PixelAttention(num_feat=num_feat, window_size=window_size, pe=pe)),
                Picture(far=far),
                PictureResidual(num_feat, GatedFeedForward(num_feat)),
                PictureResidual(
                    num_feat, ChannelAttention(num_feat=num_feat, window_size=window_size, far=far)
                ),
                PictureResidual(num_feat, GatedFeedForward(num_feat)),
            ]
        self.layer = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.layer(features)
        return result


class PixelResidual(nn.Module):
    """A function of the normalised features of each pixel, channels last, added to them."""

    def __init__(self, num_feat: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(num_feat)
        self.fn = fn

    def forward(self, windows: Tensor) -> Tensor:
        branch: Tensor = self.fn(self.norm(windows))
        return windows + branch


class PictureResidual(nn.Module):
    """A function of the features, normalised pixel by pixel, added to them."""

    def __init__(self, num_feat: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(num_feat, eps=1e-6)
        self.fn = fn

    def forward(self, features: Tensor) -> Tensor:
        normal = self.norm(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        branch: Tensor = self.fn(normal)
        return features + branch


class GatedFeedForward(nn.Module):
    """A depthwise convolution of twice the features, whose one half gates the other."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.project_in = nn.Conv2d(num_feat, 2 * num_feat, 1, bias=False)
        self.dwconv = nn.Conv2d(2 * num_feat, 2 * num_feat, 3, padding=1, groups=2 * num_feat, bias=False)
        self.project_out = nn.Conv2d(num_feat, num_feat, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        gate, passed = self.dwconv(self.project_in(features)).chunk(2, dim=1)
        result: Tensor = self.project_out(F.gelu(gate) * passed)
        return result


class LocalConv(nn.Module):
    """The inverted bottleneck of MobileNet without expansion, with squeeze and excitation, added to its input."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        self.fn = nn.Sequential(
            nn.Conv2d(num_feat, num_feat, 1),
            nn.GELU(),
            nn.Conv2d(num_feat, num_feat, 3, padding=1, groups=num_feat),
            nn.GELU(),
            SqueezeExcitation(num_feat),
            nn.Conv2d(num_feat, num_feat, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.fn(features)
        return features + branch


class SqueezeExcitation(nn.Module):
    """Every channel times a factor between 0 and 1 that the means of all channels over the picture decide."""

    def __init__(self, num_feat: int) -> None:
        super().__init__()
        hidden = num_feat // 4
        self.gate = nn.Sequential(
            nn.Flatten(),  # the published names count the mean, which is no module here
            nn.Linear(num_feat, hidden, bias=False),
            nn.SiLU(),
            nn.Linear(hidden, num_feat, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        factors: Tensor = self.gate(features.mean((2, 3)))
        return features * factors[:, :, None, None]
