"""ESRGAN's VGG-style discriminator."""

from torch import Tensor, nn

from sr.archs.sizes import check_sizes

_DOWNSAMPLING = 32


class VGGDiscriminator(nn.Module):
    """Gives one logit for a patch: five pairs of convolutions, each pair halving the image, then two linear layers.

    (N, in_channels, patch_size, patch_size) float in [0, 1] -> logits (N, 1).
    The first linear layer fixes the input size: any multiple of 32. At 128 this is the net of the reference
    implementation; its net for 256 has a sixth pair of convolutions, which this one has not.

    Source: Ledig et al., "SRGAN", 2017, fig. 4, with the strided 4x4 convolutions of the ESRGAN code (Wang et
    al., 2018), whose BasicSR parameter names these are.

    Args:
        in_channels: channels of the images.
        num_feat: channels of the first pair of convolutions.
        patch_size: the side of the images in pixels, a multiple of 32.

    Raises:
        ValueError: `num_feat` is below 1, `patch_size` is not a positive multiple of 32, or the input is of
            another size.
    """

    def __init__(self, *, in_channels: int = 3, num_feat: int = 64, patch_size: int = 128) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat)
        if patch_size < _DOWNSAMPLING or patch_size % _DOWNSAMPLING:
            raise ValueError(f"patch_size={patch_size} must be a positive multiple of {_DOWNSAMPLING}")
        self.patch_size = patch_size
        self.conv0_0 = nn.Conv2d(in_channels, num_feat, 3, padding=1)
        self.conv0_1 = _halving_conv(num_feat)
        self.bn0_1 = nn.BatchNorm2d(num_feat)

        self.conv1_0 = _widening_conv(num_feat, num_feat * 2)
        self.bn1_0 = nn.BatchNorm2d(num_feat * 2)
        self.conv1_1 = _halving_conv(num_feat * 2)
        self.bn1_1 = nn.BatchNorm2d(num_feat * 2)

        self.conv2_0 = _widening_conv(num_feat * 2, num_feat * 4)
        self.bn2_0 = nn.BatchNorm2d(num_feat * 4)
        self.conv2_1 = _halving_conv(num_feat * 4)
        self.bn2_1 = nn.BatchNorm2d(num_feat * 4)

        self.conv3_0 = _widening_conv(num_feat * 4, num_feat * 8)
        self.bn3_0 = nn.BatchNorm2d(num_feat * 8)
        self.conv3_1 = _halving_conv(num_feat * 8)
        self.bn3_1 = nn.BatchNorm2d(num_feat * 8)

        self.conv4_0 = _widening_conv(num_feat * 8, num_feat * 8)
        self.bn4_0 = nn.BatchNorm2d(num_feat * 8)
        self.conv4_1 = _halving_conv(num_feat * 8)
        self.bn4_1 = nn.BatchNorm2d(num_feat * 8)

        self.linear1 = nn.Linear(num_feat * 8 * (patch_size // _DOWNSAMPLING) ** 2, 100)
        self.linear2 = nn.Linear(100, 1)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if (height, width) != (self.patch_size, self.patch_size):
            raise ValueError(
                f"image size {height}x{width} must be patch_size={self.patch_size} in height and width"
            )
        features = self.activation(self.conv0_0(image))
        features = self.activation(self.bn0_1(self.conv0_1(features)))
        features = self.activation(self.bn1_0(self.conv1_0(features)))
        features = self.activation(self.bn1_1(self.conv1_1(features)))
        features = self.activation(self.bn2_0(self.conv2_0(features)))
        features = self.activation(self.bn2_1(self.conv2_1(features)))
        features = self.activation(self.bn3_0(self.conv3_0(features)))
        features = self.activation(self.bn3_1(self.conv3_1(features)))
        features = self.activation(self.bn4_0(self.conv4_0(features)))
        features = self.activation(self.bn4_1(self.conv4_1(features)))
        hidden = self.activation(self.linear1(features.flatten(1)))
        logits: Tensor = self.linear2(hidden)
        return logits


# No bias in front of a batch norm, which would subtract it again.
def _widening_conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


def _halving_conv(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 4, stride=2, padding=1, bias=False)
