"""Real-ESRGAN's U-Net discriminator with spectral normalisation."""

from torch import Tensor, nn

# The legacy spectral norm, on purpose: its state-dict keys (`weight_orig`, `weight_u`, `weight_v`) are the
# published ones, so checkpoints go both ways without a mapping. It stores u and v as clones, so two forwards
# may precede one backward, and on torch 2.13 it warns of nothing and compiles without a graph break
# (tests/archs/test_archs_compiled.py). Its one weakness: `copy.deepcopy` of a net that has run once fails;
# build a second one and load the state dict.
from torch.nn.utils import spectral_norm

from sr.archs.sizes import check_sizes
from sr.archs.upsampling import double_bilinear

_DOWNSAMPLING = 8


class UNetDiscriminator(nn.Module):
    """Gives a logit for every pixel: three strided convolutions down, three upsampling steps up, skips between them.

    (N, in_channels, H, W) float in [0, 1] -> logits (N, 1, H, W), or with `average=True` their mean (N, 1).
    H and W must be multiples of 8. In train mode every forward advances the spectral norm's power iteration.

    Source: Wang et al., "Real-ESRGAN", 2021, sec. 3.4; spectral normalisation: Miyato et al., 2018. Parameter
    names are the published ones, with `skip_connection=True` and per-pixel logits as published; `average` is
    ours.

    Args:
        in_channels: channels of the images.
        num_feat: channels of the first convolution.
        skip_connection: whether features on the way down are added on the way up.
        average: whether the logits of an image are averaged to one.

    Raises:
        ValueError: `num_feat` is below 1, or H or W is not a multiple of 8.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        num_feat: int = 64,
        skip_connection: bool = True,
        average: bool = False,
    ) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat)
        self.skip_connection = skip_connection
        self.average = average
        self.conv0 = nn.Conv2d(in_channels, num_feat, 3, padding=1)
        self.conv1 = _normalised_conv(num_feat, num_feat * 2, kernel_size=4, stride=2)
        self.conv2 = _normalised_conv(num_feat * 2, num_feat * 4, kernel_size=4, stride=2)
        self.conv3 = _normalised_conv(num_feat * 4, num_feat * 8, kernel_size=4, stride=2)
        self.conv4 = _normalised_conv(num_feat * 8, num_feat * 4)
        self.conv5 = _normalised_conv(num_feat * 4, num_feat * 2)
        self.conv6 = _normalised_conv(num_feat * 2, num_feat)
        self.conv7 = _normalised_conv(num_feat, num_feat)
        self.conv8 = _normalised_conv(num_feat, num_feat)
        self.conv9 = nn.Conv2d(num_feat, 1, 3, padding=1)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if height % _DOWNSAMPLING or width % _DOWNSAMPLING:
            raise ValueError(
                f"image size {height}x{width} must be a multiple of {_DOWNSAMPLING} in height and width"
            )
        full = self.activation(self.conv0(image))
        half = self.activation(self.conv1(full))
        quarter = self.activation(self.conv2(half))
        features = self.activation(self.conv3(quarter))

        for conv, skip in ((self.conv4, quarter), (self.conv5, half), (self.conv6, full)):
            features = self.activation(conv(double_bilinear(features)))
            if self.skip_connection:
                features = features + skip

        features = self.activation(self.conv7(features))
        features = self.activation(self.conv8(features))
        logits: Tensor = self.conv9(features)
        return logits.mean(dim=(2, 3)) if self.average else logits


def _normalised_conv(
    in_channels: int, out_channels: int, *, kernel_size: int = 3, stride: int = 1
) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=1, bias=False)
    return spectral_norm(conv)
