"""RCAN: groups of residual blocks that weigh their channels by what the whole picture holds."""

from torch import Tensor, nn

from sr.archs.mean_shift import MeanShift
from sr.archs.memory import Memory, run_block
from sr.archs.padding import pad_to_multiple
from sr.archs.picture_mean import PictureMean
from sr.archs.sizes import check_choice, check_positive, check_scale, check_sizes
from sr.archs.upsampling import SHUFFLE_STEPS, PixelShuffleSteps

_UNSHUFFLED_SCALE = 4  # by how much a net with an unshuffled input enlarges it again


class RCAN(nn.Module):
    """Residual in residual: groups of blocks, skips around each and all of them, pixel-shuffle upsampling (fig. 2).

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1. The
    channel attention sees the mean over the whole picture, so tiles of a picture are not quite the picture.

    `norm` has images inside be in [0, img_range] with the mean colour of DIV2K off (see `MeanShift`). Without it they
    stay in [0, 1]. `unshuffle` (traiNNer-redux) has scales 1 and 2 begin with their pixels unshuffled by 4 and 2, at
    a quarter and half the size; an image that does not divide is reflected, and its result cropped. `reduction` is the
    factor between the features and those inside the attention, of which there is one at least.

    Source: Zhang et al., "Image super-resolution using very deep residual channel attention networks", 2018, sec. 3.
    Parameter names are those of its authors' files; BasicSR's are translated. No tensor holds `img_range`.

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input.
        out_channels: channels of the output.
        num_feat: channels of the features inside.
        num_group: the number of residual groups.
        num_block: the number of blocks in each group.
        reduction: the divisor of the features inside the channel attention, which keeps one at least.
        norm: whether the mean colour of DIV2K is subtracted and values are multiplied by `img_range`.
        img_range: the factor by which values in [0, 1] are multiplied inside.
        unshuffle: whether scales 1 and 2 work at a quarter and half the size.
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8, a `num_*` or `reduction` is below 1, `img_range` is not
            positive, or `memory` is none of its choices.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_group: int = 10,
        num_block: int = 20,
        reduction: int = 16,
        norm: bool = True,
        img_range: float = 255.0,
        unshuffle: bool = False,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_group=num_group, num_block=num_block, reduction=reduction)
        check_scale(scale, SHUFFLE_STEPS)
        check_choice("memory", memory, Memory)
        check_positive(img_range=img_range)
        self.scale = scale
        self.img_range = img_range if norm else 1.0
        self.unshuffle = _UNSHUFFLED_SCALE // scale if unshuffle and scale <= 2 else 1
        self.memory = memory
        self.sub_mean = _shift(norm, channels=in_channels, img_range=img_range, sign=-1)
        first = nn.Conv2d(in_channels * self.unshuffle**2, num_feat, 3, padding=1)
        self.head = nn.Sequential(*([nn.PixelUnshuffle(self.unshuffle)] if self.unshuffle > 1 else []), first)
        groups = (
            ResidualGroup(num_feat=num_feat, num_block=num_block, reduction=reduction)
            for _ in range(num_group)
        )
        self.body = nn.Sequential(*groups, nn.Conv2d(num_feat, num_feat, 3, padding=1))
        self.tail = nn.Sequential(
            PixelShuffleSteps(scale=scale * self.unshuffle, num_feat=num_feat),
            nn.Conv2d(num_feat, out_channels, 3, padding=1),
        )
        self.add_mean = _shift(norm, channels=out_channels, img_range=img_range, sign=1)

    def forward(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        padded = pad_to_multiple(lr, self.unshuffle) if self.unshuffle > 1 else lr
        shallow = self.head(self.sub_mean(padded * self.img_range))
        features = shallow
        for block in self.body:
            features = run_block(block, features, memory=self.memory)
        sr: Tensor = self.add_mean(self.tail(shallow + features)) / self.img_range
        return sr[..., : height * self.scale, : width * self.scale] if self.unshuffle > 1 else sr


def _shift(norm: bool, *, channels: int, img_range: float, sign: int) -> nn.Module:
    return MeanShift(channels=channels, img_range=img_range, sign=sign) if norm else nn.Identity()


class ResidualGroup(nn.Module):
    """Blocks and a convolution, plus the input (sec. 3.2)."""

    def __init__(self, *, num_feat: int, num_block: int, reduction: int) -> None:
        super().__init__()
        blocks = (ChannelAttentionBlock(num_feat=num_feat, reduction=reduction) for _ in range(num_block))
        self.body = nn.Sequential(*blocks, nn.Conv2d(num_feat, num_feat, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.body(features)
        return features + branch


class ChannelAttentionBlock(nn.Module):
    """Convolution, ReLU, convolution, channel attention, plus the input (sec. 3.4, fig. 4)."""

    def __init__(self, *, num_feat: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(num_feat, num_feat, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(num_feat, num_feat, 3, padding=1),
            ChannelAttention(num_feat=num_feat, reduction=reduction),
        )

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.body(features)
        return features + branch


class ChannelAttention(nn.Module):
    """Features times the sigmoid of two layers on their means over the picture (sec. 3.3, fig. 3)."""

    def __init__(self, *, num_feat: int, reduction: int) -> None:
        super().__init__()
        squeezed = max(num_feat // reduction, 1)
        self.mean = PictureMean()
        self.conv_du = nn.Sequential(
            nn.Conv2d(num_feat, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, num_feat, 1), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        weight: Tensor = self.conv_du(self.mean(features))
        return features * weight
