"""DISTS: how much the texture and the structure of two images differ in the features of VGG16."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.features.imagenet import ImageNetFeatures
from sr.features.private_torchmetrics import dists_file
from sr.ops.weight_file import read_weight_file

LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
_STABLE = 1e-6  # c1 and c2


class L2Pool(nn.Module):
    """sqrt(hanning * x^2), of which every second position is kept (Henaff and Simoncelli, ICLR 2016).

    It takes the place of max-pooling, which aliases. (N, C, H, W) -> (N, C, ceil(H / 2), ceil(W / 2)).
    """

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        window = torch.tensor([0.5, 1.0, 0.5])  # a Hann window of 5 without its zeros
        kernel = window[:, None] * window
        self.register_buffer("kernel", (kernel / kernel.sum()).expand(channels, 1, 3, 3).contiguous())

    def forward(self, value: Tensor) -> Tensor:
        power = F.conv2d(value.square(), self.kernel, stride=2, padding=1, groups=value.shape[1])
        return (power + 1e-12).sqrt()


class DISTS(nn.Module):
    """1 - sum over layers and channels of alpha l(a, b) + beta s(a, b)

    l = (2 m_a m_b + c) / (m_a^2 + m_b^2 + c) compares the means of a channel over the image (texture), s = (2 cov +
    c) / (v_a + v_b + c) its variances and covariance (structure); c = 1e-6, and alpha and beta sum to 1. The image
    itself is the first layer. Source: Ding et al., "Image Quality Assessment: Unifying Structure and Texture
    Similarity", IEEE TPAMI 2020, eq. 5 to 8. 0 for equal images; lower is more alike.

    Shapes: (N, 3, H, W) RGB in [0, 1] twice -> (N,).

    Args:
        weights: the file of VGG16; see `sr.features.imagenet.ImageNetFeatures`, as for `key` and `otherwise`.

    Raises:
        ValueError: see `ImageNetFeatures`.
        FileNotFoundError: there is no file of weights and none can be downloaded.
    """

    def __init__(self, *, weights: str | None = None, key: str = "weights", otherwise: str = "") -> None:
        super().__init__()
        self.features = ImageNetFeatures(
            net="vgg16", layers=LAYERS, weights=weights, pool=L2Pool, key=key, otherwise=otherwise
        )
        found = read_weight_file(dists_file()).content
        texture, structure = found["alpha"].float().flatten(), found["beta"].float().flatten()
        total = texture.sum() + structure.sum()
        self.register_buffer("texture", texture / total)
        self.register_buffer("structure", structure / total)

    @property
    def min_size(self) -> int:
        """The smallest height and width of an image."""
        return self.features.min_size

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        pairs = zip([a, *self.features(a).values()], [b, *self.features(b).values()], strict=True)
        means, variances = zip(*(_similarities(one, other) for one, other in pairs), strict=True)
        texture, structure = self.get_buffer("texture"), self.get_buffer("structure")
        return 1 - (torch.cat(means, dim=1) * texture + torch.cat(variances, dim=1) * structure).sum(dim=1)


def _similarities(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C) of the means, and of the variances."""
    a, b = one.flatten(2), other.flatten(2)
    mean_a, mean_b = a.mean(dim=2), b.mean(dim=2)
    covariance = (a * b).mean(dim=2) - mean_a * mean_b
    spread = a.var(dim=2, correction=0) + b.var(dim=2, correction=0)
    means = (2 * mean_a * mean_b + _STABLE) / (mean_a.square() + mean_b.square() + _STABLE)
    return means, (2 * covariance + _STABLE) / (spread + _STABLE)
