"""EDSR: a deep stack of residual blocks without batch norm."""

from torch import Tensor, nn

from sr.archs.mean_shift import MeanShift
from sr.archs.memory import Memory, run_block
from sr.archs.sizes import check_choice, check_positive, check_sizes
from sr.archs.upsampling import PixelShuffleSteps


class EDSR(nn.Module):
    """Convolution, residual blocks and a skip around them, pixel-shuffle upsampling, convolution (fig. 3).

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.
    Inside, images are in [0, img_range] with the mean colour of DIV2K off (see `MeanShift`). `res_scale` weakens the
    branch of every block: wide nets do not train without (sec. 3.3).

    Source: Lim et al., "Enhanced deep residual networks for single image super-resolution", 2017, sec. 3. Parameter
    names are those of its authors' files; BasicSR's are translated. No tensor holds `res_scale` and `img_range`.

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input.
        out_channels: channels of the output.
        num_feat: channels of the features inside.
        num_block: the number of residual blocks.
        res_scale: the weight of the branch of every block.
        img_range: the factor by which values in [0, 1] are multiplied inside.
        memory: the part that is kept for the backward pass, "auto", "plain" or "checkpoint", see `sr.archs.memory`.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8, a `num_*` is below 1, `res_scale` or `img_range` is not
            positive, or `memory` is none of its choices.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_block: int = 16,
        res_scale: float = 1.0,
        img_range: float = 255.0,
        memory: Memory = "auto",
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_block=num_block)
        check_choice("memory", memory, Memory)
        check_positive(res_scale=res_scale, img_range=img_range)
        self.img_range = img_range
        self.memory = memory
        self.sub_mean = MeanShift(channels=in_channels, img_range=img_range, sign=-1)
        self.head = nn.Sequential(nn.Conv2d(in_channels, num_feat, 3, padding=1))
        self.body = nn.Sequential(
            *(ResidualBlock(num_feat=num_feat, res_scale=res_scale) for _ in range(num_block)),
            nn.Conv2d(num_feat, num_feat, 3, padding=1),
        )
        self.tail = nn.Sequential(
            PixelShuffleSteps(scale=scale, num_feat=num_feat), nn.Conv2d(num_feat, out_channels, 3, padding=1)
        )
        self.add_mean = MeanShift(channels=out_channels, img_range=img_range, sign=1)

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.head(self.sub_mean(lr * self.img_range))
        features = shallow
        for block in self.body:
            features = run_block(block, features, memory=self.memory)
        sr: Tensor = self.add_mean(self.tail(shallow + features))
        return sr / self.img_range


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, times `res_scale`, plus the input (fig. 2c)."""

    def __init__(self, *, num_feat: int, res_scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(num_feat, num_feat, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(num_feat, num_feat, 3, padding=1),
        )
        self.res_scale = res_scale

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.body(features)
        return features + self.res_scale * branch
