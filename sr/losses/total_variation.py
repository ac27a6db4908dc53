"""The total variation of the generated image, in two forms."""

import math

from torch import Tensor, nn

from sr.losses.comparable import at_least_float32


class TotalVariationLoss(nn.Module):
    """mean sqrt(d_x^2 + d_y^2 + eps^2) - eps

    d are the differences to the next pixel of `sr` on the right and below. Isotropic: the direction of an edge does not
    matter. `hr` is ignored: this is a prior that flattens noise and detail alike, for a small weight beside other
    losses.

    Source: Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 1992.

    Shapes: `sr` (N, C, H, W), H and W at least 2; returns a scalar of at least float32, which is 0 for a flat image.

    Args:
        eps: the smoothing in units of the image, above 0; the root has no gradient at 0 without it.

    Raises:
        ValueError: `eps` is not above 0, or images are smaller than 2 x 2.
    """

    def __init__(self, *, eps: float = 1e-3) -> None:
        super().__init__()
        if not (math.isfinite(eps) and eps > 0):
            raise ValueError(f"eps={eps} must be finite and greater than 0")
        self.eps = eps

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        along_x, along_y = _differences(sr)
        squares = along_x[..., :-1, :].square() + along_y[..., :, :-1].square()
        return (squares + self.eps**2).sqrt().mean() - self.eps


class AnisotropicTotalVariationLoss(nn.Module):
    """mean |d_x| + mean |d_y|

    d are the differences to the next pixel of `sr` on the right and below. Edges along the axes cost less than
    others. `hr` is ignored, as in `TotalVariationLoss`.

    Source: Rudin, Osher and Fatemi, 1992, with the norm of Esedoglu and Osher, "Decomposition of images by the
    anisotropic Rudin-Osher-Fatemi model", 2004.

    Shapes: `sr` (N, C, H, W), H and W at least 2; returns a scalar of at least float32, which is 0 for a flat image.

    Raises:
        ValueError: images are smaller than 2 x 2.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        along_x, along_y = _differences(sr)
        return along_x.abs().mean() + along_y.abs().mean()


def _differences(images: Tensor) -> tuple[Tensor, Tensor]:
    """(N, C, H, W) -> along x (N, C, H, W - 1) and along y (N, C, H - 1, W), of at least float32."""
    if min(images.shape[-2:]) < 2:
        raise ValueError(f"a variation needs images of at least 2 x 2 pixels, got {tuple(images.shape)}")
    images = at_least_float32(images)
    return images.diff(dim=-1), images.diff(dim=-2)
