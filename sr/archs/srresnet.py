"""SRResNet, the generator of SRGAN."""

from torch import Tensor, nn

from sr.archs.sizes import check_scale, check_sizes
from sr.archs.upsampling import SHUFFLE_STEPS

_PRELU_SLOPE = 0.25


class SRResNet(nn.Module):
    """9x9 convolution, residual blocks and a skip around them, pixel-shuffle upsampling, 9x9 convolution.

    (N, in_channels, H, W) float in [0, 1] -> (N, out_channels, H*scale, W*scale), not clamped, any H, W >= 1.
    `batch_norm=False` leaves the normalisation out, as ESRGAN sec. 3.1 recommends (it causes artefacts).

    Source: Ledig et al., "Photo-realistic single image super-resolution...", 2017, sec. 2.1 and fig. 4.
    The paper's targets are in [-1, 1], ours in [0, 1]: the last convolution absorbs the difference.

    Args:
        scale: the factor of enlargement, 1, 2, 3, 4 or 8.
        in_channels: channels of the input.
        out_channels: channels of the output.
        num_feat: channels of the features inside.
        num_block: the number of residual blocks.
        batch_norm: whether convolutions are followed by batch norm, as published.

    Raises:
        ValueError: `scale` is not 1, 2, 3, 4 or 8, or a `num_*` is below 1.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        in_channels: int = 3,
        out_channels: int = 3,
        num_feat: int = 64,
        num_block: int = 16,
        batch_norm: bool = True,
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_block=num_block)
        check_scale(scale, SHUFFLE_STEPS)
        self.conv_first = nn.Conv2d(in_channels, num_feat, 9, padding=4)
        self.prelu = nn.PReLU(num_feat, init=_PRELU_SLOPE)
        blocks = (ResidualBlock(num_feat=num_feat, batch_norm=batch_norm) for _ in range(num_block))
        self.body = nn.Sequential(*blocks)
        self.conv_body = nn.Conv2d(num_feat, num_feat, 3, padding=1, bias=not batch_norm)
        self.bn_body = nn.BatchNorm2d(num_feat) if batch_norm else nn.Identity()
        self.upsampling = nn.Sequential()
        for step in SHUFFLE_STEPS[scale]:
            self.upsampling.append(nn.Conv2d(num_feat, num_feat * step**2, 3, padding=1))
            self.upsampling.append(nn.PixelShuffle(step))
            self.upsampling.append(nn.PReLU(num_feat, init=_PRELU_SLOPE))
        self.conv_last = nn.Conv2d(num_feat, out_channels, 9, padding=4)

    def forward(self, lr: Tensor) -> Tensor:
        shallow = self.prelu(self.conv_first(lr))
        features = shallow + self.bn_body(self.conv_body(self.body(shallow)))
        sr: Tensor = self.conv_last(self.upsampling(features))
        return sr


class ResidualBlock(nn.Module):
    """Convolution, PReLU, convolution, plus the input; batch norm (if any) after each one (fig. 4)."""

    def __init__(self, *, num_feat: int, batch_norm: bool) -> None:
        super().__init__()
        # Batch norm has its own offset and would subtract a bias again.
        self.conv1 = nn.Conv2d(num_feat, num_feat, 3, padding=1, bias=not batch_norm)
        self.bn1 = nn.BatchNorm2d(num_feat) if batch_norm else nn.Identity()
        self.prelu = nn.PReLU(num_feat, init=_PRELU_SLOPE)
        self.conv2 = nn.Conv2d(num_feat, num_feat, 3, padding=1, bias=not batch_norm)
        self.bn2 = nn.BatchNorm2d(num_feat) if batch_norm else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        branch: Tensor = self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(features)))))
        return features + branch
