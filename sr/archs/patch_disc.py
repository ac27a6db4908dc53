"""PatchGAN, the discriminator of pix2pix."""

from torch import Tensor, nn

from sr.archs.sizes import check_sizes


class PatchDiscriminator(nn.Module):
    """Gives a logit for each overlapping patch: `num_layer` strided 4x4 convolutions, one at stride 1, one to a logit.

    (N, in_channels, H, W) float in [0, 1] -> logits (N, 1, H // 2**num_layer - 2, W // 2**num_layer - 2).
    A logit sees 70x70 pixels at `num_layer=3` (34x34 at 2, 142x142 at 4), besides the norm's statistics.

    Instance norm, because pix2pix used batch norm at batch size 1, which is just that (sec. 3.3), with a
    learned scale and offset (so they are here too). In a larger batch, batch norm would mix the images.

    Source: Isola et al., "Image-to-image translation with conditional adversarial networks", 2017,
    sec. 3.2.2 and 6.1.2.

    Args:
        in_channels: channels of the images.
        num_feat: channels of the first convolution; each strided one doubles them, up to eight times as many.
        num_layer: the number of strided convolutions.

    Raises:
        ValueError: `num_feat` or `num_layer` is below 1, or H or W is below 3 * 2**num_layer.
    """

    def __init__(self, *, in_channels: int = 3, num_feat: int = 64, num_layer: int = 3) -> None:
        super().__init__()
        check_sizes(num_feat=num_feat, num_layer=num_layer)
        self.minimum_size = 3 * 2**num_layer
        # The first layer is not normalised (sec. 6.1.2): instance norm there would lose the mean colour.
        self.body = nn.Sequential(nn.Conv2d(in_channels, num_feat, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
        width = num_feat
        for layer in range(1, num_layer + 1):
            wider = num_feat * min(2**layer, 8)
            stride = 1 if layer == num_layer else 2
            # No bias: the norm subtracts it again.
            self.body.append(nn.Conv2d(width, wider, 4, stride=stride, padding=1, bias=False))
            self.body.append(nn.InstanceNorm2d(wider, affine=True))
            self.body.append(nn.LeakyReLU(0.2))
            width = wider
        self.body.append(nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[-2:]
        if min(height, width) < self.minimum_size:
            raise ValueError(
                f"image size {height}x{width} must be at least {self.minimum_size} in height and width"
            )
        logits: Tensor = self.body(image)
        return logits
