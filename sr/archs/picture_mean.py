"""The mean over a whole picture, for attention that weighs channels."""

from torch import Tensor, nn


class PictureMean(nn.Module):
    """The mean over all pixels: (N, C, H, W) -> (N, C, 1, 1).

    `nn.AdaptiveAvgPool2d(1)` gives the same, but where channels come last in memory its result is laid out anew, which
    becomes a scatter in the compiled gradient (see `sr.archs.upsampling`).
    """

    def forward(self, features: Tensor) -> Tensor:
        return features.mean((2, 3), keepdim=True)
