"""Whole images in pairs, for validation and evaluation."""

from typing import Any

import numpy as np
from torch.utils.data import Dataset

from sr.data.patches import Degradation
from sr.data.sources import ImageFiles, ImageSource
from sr.ops.image import crop_to_multiple, to_float, to_tensor


class WholeImages(Dataset[dict[str, Any]]):
    """`{"lr", "hr", "index", "name"}` per image, HR cut to a multiple of the scale first, float32 in [0, 1].

    LR is read where there are LR files, else made by the degradation, with the randomness of (seed, index): the same
    LR at every validation.

    Raises:
        ValueError: an LR file does not have the size of its HR file divided by the scale.
    """

    def __init__(
        self,
        *,
        hr: ImageSource,
        scale: int,
        degradation: Degradation | None = None,
        lr: ImageFiles | None = None,
        seed: int = 0,
    ) -> None:
        if (degradation is None) == (lr is None):
            raise ValueError("whole images need either LR files or a degradation")
        self.hr = hr
        self.lr = lr
        self.scale = scale
        self.degradation = degradation
        self.seed = seed

    def __len__(self) -> int:
        return len(self.hr)

    def check(self, *, smallest: int) -> None:
        """Read every file once, so that a bad one shows before hours of work and not after.

        Raises:
            UnreadableImageError: names the file.
            ValueError: names an image with a side of less than `smallest` pixels, a pair whose sizes do not fit, or
                two images of one name.
        """
        names = [self.hr.name(index) for index in range(len(self))]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"several images have the name {twice[0]} but for their endings")
        for index in range(len(self)):
            hr = crop_to_multiple(self.hr[index], self.scale)
            height, width = hr.shape[:2]
            if min(height, width) < smallest:
                raise ValueError(
                    f"{names[index]}: {width} x {height} pixels; the metric needs {smallest} on each side"
                )
            if self.lr is not None:
                self._check_pair(index, self.lr[index], hr)

    def __getitem__(self, index: int) -> dict[str, Any]:
        hr = to_float(crop_to_multiple(self.hr[index], self.scale))
        lr = self._lr(index, hr)
        self._check_pair(index, lr, hr)
        return {"lr": to_tensor(lr), "hr": to_tensor(hr), "index": index, "name": self.hr.name(index)}

    def _lr(self, index: int, hr: np.ndarray) -> np.ndarray:
        if self.lr is not None:
            return to_float(self.lr[index])
        assert self.degradation is not None
        return self.degradation(hr, np.random.default_rng((self.seed, index)))

    def _check_pair(self, index: int, lr: np.ndarray, hr: np.ndarray) -> None:
        if (lr.shape[0] * self.scale, lr.shape[1] * self.scale) != hr.shape[:2]:
            raise ValueError(
                f"{self.hr.name(index)}: LR of {lr.shape[1]} x {lr.shape[0]} and HR of {hr.shape[1]} x {hr.shape[0]}"
                f" pixels do not differ by scale={self.scale}"
            )
