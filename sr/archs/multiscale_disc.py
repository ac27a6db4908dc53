"""The multi-scale discriminator of pix2pixHD: PatchGANs on an image and on smaller copies of it."""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.sizes import check_sizes


class MultiscalePatchDiscriminator(nn.Module):
    """`num_scale` PatchDiscriminators of one architecture, each on an image of half the size of the one before.

    (N, in_channels, H, W) float in [0, 1] -> a tuple of logits, one map (N, 1, h, w) for each scale, the finest first.
    The coarsest sees the largest part of the picture and so judges its structure, the finest its detail. The maps are
    those of different discriminators: an objective is taken of each one, and the training gives all the same weight.
    A copy is averaged over 3 x 3 pixels, of which only those inside the image count.

    Source: Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs", 2018,
    sec. 3.2, and its published code for the average.

    Args:
        in_channels: channels of the images.
        num_feat: channels of the first convolution of each discriminator.
        num_layer: the number of strided convolutions of each, see `PatchDiscriminator`.
        num_scale: the number of discriminators.

    Raises:
        ValueError: a `num_*` is below 1, or H or W is too small for the coarsest scale.
    """

    def __init__(
        self, *, in_channels: int = 3, num_feat: int = 64, num_layer: int = 3, num_scale: int = 3
    ) -> None:
        super().__init__()
        check_sizes(num_scale=num_scale)
        self.discriminators = nn.ModuleList(
            PatchDiscriminator(in_channels=in_channels, num_feat=num_feat, num_layer=num_layer)
            for _ in range(num_scale)
        )
        # A side of n becomes one of (n + 1) // 2, and the last of them must suit a PatchDiscriminator.
        self.minimum_size = (3 * 2**num_layer - 1) * 2 ** (num_scale - 1) + 1

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        height, width = image.shape[-2:]
        if min(height, width) < self.minimum_size:
            raise ValueError(
                f"image size {height}x{width} must be at least {self.minimum_size} in height and width"
            )
        logits = []
        for number, discriminator in enumerate(self.discriminators):
            if number:
                image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
            logits.append(discriminator(image))
        return tuple(logits)
