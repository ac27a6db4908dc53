"""Metrics of images of many bands: ERGAS and the spectral angle."""

from collections.abc import Mapping
from types import MappingProxyType

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    error_relative_global_dimensionless_synthesis,
    spectral_angle_mapper,
)

from sr.metrics.measure import Measure
from sr.metrics.quantity import LOWER, Quantity
from sr.ops.masked import masked_mean


class ERGAS(Measure):
    """100 / scale * sqrt(mean over bands of (RMSE of the band / its mean in HR)^2): 0 for equal images, lower is
    better. In units of the file, since an offset changes the mean.

    Source: Wald, "Quality of high resolution synthesised images: is there a simple criterion?", Fusion of Earth Data
    2000.
    Computed by torchmetrics. A band of HR that is zero everywhere has no value: the result is infinite.

    Args:
        scale: the factor from LR to HR.

    Raises:
        ValueError: `scale` is below 1.
    """

    takes_valid = True
    physical = True
    quantities = MappingProxyType({"ergas": Quantity(better=LOWER, digits=".3f", title="ERGAS")})

    def __init__(self, *, scale: int) -> None:
        if scale < 1:
            raise ValueError(f"scale={scale} must be 1 or more")
        self.scale = scale

    def describe(self) -> dict[str, str]:
        return {"ergas": f"Wald 2000, over all channels, ratio {self.scale}; lower is better"}

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor, *, valid: Tensor | None = None) -> Mapping[str, Tensor]:
        if valid is not None:
            return {"ergas": self._of_valid(sr, hr, valid)}
        pairs = zip(torch.split(sr, 1), torch.split(hr, 1), strict=True)
        values = [error_relative_global_dimensionless_synthesis(*pair, ratio=self.scale) for pair in pairs]
        return {"ergas": torch.stack(values)}

    def _of_valid(self, sr: Tensor, hr: Tensor, valid: Tensor) -> Tensor:
        """Of the bands that have any data; NaN where there is none."""
        counts = valid.sum(dim=(2, 3))  # (N, C)
        squares = torch.where(valid, sr - hr, 0).square().sum(dim=(2, 3)) / counts
        means = torch.where(valid, hr, 0).sum(dim=(2, 3)) / counts
        return 100 / self.scale * masked_mean(squares / means.square(), counts > 0).sqrt()


class SpectralAngle(Measure):
    """The mean over pixels of the angle between the spectra of SR and HR, in radians: 0 for equal colours, lower is
    better.

    Source: Kruse et al., "The spectral image processing system (SIPS)", Remote Sensing of Environment 1993. Blind to
    brightness, and in units of the file, since an offset changes the angle. A pixel without any light in one
    of the images has no angle and is left out.
    """

    takes_valid = True
    physical = True
    quantities = MappingProxyType(
        {"sam": Quantity(better=LOWER, digits=".4f", unit="rad", title="spectral angle")}
    )

    def describe(self) -> dict[str, str]:
        return {
            "sam": "Kruse et al. 1993, mean angle between spectra over pixels with light; lower is better"
        }

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor, *, valid: Tensor | None = None) -> Mapping[str, Tensor]:
        angles = spectral_angle_mapper(sr, hr, reduction="none")  # (N, H, W)
        lit = (sr.square().sum(dim=1) > 0) & (hr.square().sum(dim=1) > 0)
        if valid is not None:  # a spectrum needs all its bands
            lit = lit & valid.all(dim=1)
        return {"sam": torch.stack([angle[mask].mean() for angle, mask in zip(angles, lit, strict=True)])}
