"""Whole images in pairs, for validation and evaluation."""

import os
from collections import Counter
from functools import partial
from typing import Any

import cv2
import numpy as np
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from sr.data.collating import VALID
from sr.data.patches import both_valid
from sr.data.sources import ImageFiles, ImageSource, check_types, nodata_of, say_conversions
from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError, Record
from sr.ops.image import crop_to_multiple, to_tensor
from sr.ops.no_data import has_data
from sr.ops.normalisation import FULL_RANGE, Normalisation, for_net


class WholeImages(Dataset[dict[str, Any]]):
    """`{"lr", "hr", "index", "name"}` per image, HR cut to a multiple of the scale first, float32 in [0, 1].

    An image that lacks data has "valid" too, (C, H, W) bool: where HR has data. Elsewhere HR has the value of the
    nearest pixel that has.

    LR is read where there are LR files; otherwise the degradation makes it. The draws for draw n of image i follow from
    (seed, i, n) alone, so LR is the same at every validation, in every run and in any order.

    Args:
        hr: the images.
        scale: factor between LR and HR.
        degradation: HR -> LR.
        lr: LR files in the order of `hr`, instead of a degradation.
        seed: the seed of the degradation's draws.
        draws: the number of LR draws of each image, one after the other, as `name_0`, `name_1`, ...; the first is
            the one that draws=1 has.
        normalisation: the way from the values of files to those of a net.

    Raises:
        ValueError: draws that are less than 1, or more where nothing is drawn; or, when it is read, an LR file that
            does not have the size of its HR file divided by the scale.
    """

    def __init__(
        self,
        *,
        hr: ImageSource,
        scale: int,
        degradation: Degradation | None = None,
        lr: ImageFiles | None = None,
        seed: int = 0,
        draws: int = 1,
        normalisation: Normalisation = FULL_RANGE,
    ) -> None:
        if (degradation is None) == (lr is None):
            raise ValueError("whole images need either LR files or a degradation")
        self.hr = hr
        self.lr = lr
        self.scale = scale
        self.degradation = degradation
        self.seed = seed
        self.normalisation = normalisation
        self.draws = draws
        if draws < 1:
            raise ValueError(f"draws={draws} must be 1 or more")
        if draws > 1 and not self.is_random:
            reason = "LR are files" if lr is not None else "this degradation draws nothing"
            raise ValueError(
                f"draws={draws}: {reason}, so every image would be used {draws} times with the same LR; take draws=1 or"
                " a random degradation, such as degradation=realesrgan"
            )

    def __len__(self) -> int:
        return len(self.hr) * self.draws

    @property
    def is_random(self) -> bool:
        """Whether LR is drawn at random."""
        if self.degradation is None:
            return False
        rng = np.random.default_rng(0)
        untouched = rng.bit_generator.state
        self.degradation.draw(rng)
        return bool(rng.bit_generator.state != untouched)

    def name(self, index: int) -> str:
        """The name of the image and, with several draws, the number of the draw."""
        image, number = divmod(index, self.draws)
        # No two names meet that did not meet before: what stands after the last underscore is always the number.
        return f"{self.hr.name(image)}_{number}" if self.draws > 1 else self.hr.name(image)

    def check(self, *, smallest: int) -> None:
        """Read every file once, so that a bad one is found before hours of work and not after.

        Raises:
            UnreadableImageError: names the file.
            ValueError: names an image with a side of less than `smallest` pixels, a pair whose sizes do not fit, or
                two images with the same name.
        """
        names = check_names(self.hr)
        for files in (self.hr, self.lr):
            if files is not None:
                check_types(files, by=self.normalisation)
        say_conversions(self.hr)
        if self.lr is not None:
            say_conversions(self.lr)
        # Every process of a run reads them; a terminal has room for one bar.
        silent = True if os.environ.get("LOCAL_RANK", "0") != "0" else None
        for index in tqdm(range(len(self.hr)), unit="image", desc="checking", leave=False, disable=silent):
            hr = crop_to_multiple(self.hr[index], self.scale)
            check_side(names[index], hr, smallest=smallest)
            check_data(names[index], hr, smallest=smallest, nodata=nodata_of(self.hr, index))
            if self.lr is not None:
                self._check_pair(index, self.lr[index], hr)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image = index // self.draws
        stored = crop_to_multiple(self.hr[image], self.scale)
        hr, valid = for_net(stored, nodata=nodata_of(self.hr, image), by=self.normalisation)
        if self.lr is None:
            lr = self._degraded(index, hr, dtype=stored.dtype)
        else:
            lr, known = for_net(self.lr[index], nodata=self.lr.nodata(index), by=self.normalisation)
            valid = both_valid(valid, known, scale=self.scale)
        self._check_pair(image, lr, hr)
        item = {"lr": to_tensor(lr), "hr": to_tensor(hr), "index": index, "name": self.name(index)}
        return item if valid is None else {**item, VALID: to_tensor(valid)}

    def _degraded(self, index: int, hr: np.ndarray, *, dtype: np.dtype) -> np.ndarray:
        try:
            return self.record(index).apply(hr, as_saved=partial(self.normalisation.as_saved, dtype=dtype))
        except DegradationError as error:
            raise DegradationError(f"{self.name(index)}: {error}") from error

    def record(self, index: int) -> Record:
        """The record of the steps that made the LR of an item."""
        assert self.degradation is not None
        return self.degradation.draw(np.random.default_rng((self.seed, *divmod(index, self.draws))))

    def at_hr_size(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The output of a net at the height and width of `hr`, which it has already."""
        return sr

    def _check_pair(self, index: int, lr: np.ndarray, hr: np.ndarray) -> None:
        if (lr.shape[0] * self.scale, lr.shape[1] * self.scale) != hr.shape[:2]:
            raise ValueError(
                f"{self.hr.name(index)}: LR of {lr.shape[1]} x {lr.shape[0]} and HR of {hr.shape[1]} x {hr.shape[0]}"
                f" pixels do not differ by scale={self.scale}"
            )


def check_data(name: str, image: np.ndarray, *, smallest: int, nodata: float | None) -> None:
    """Raises ValueError for an image without a square of `smallest` pixels that has data in all bands."""
    valid = has_data(image, nodata=nodata)
    if valid is None:
        return
    whole = np.asarray(valid.all(axis=2), np.uint8)
    # What lies beyond the border counts as nothing here.
    if not cv2.erode(whole, np.ones((smallest, smallest), np.uint8), borderValue=0).any():
        raise ValueError(
            f"{name}: no square of {smallest} x {smallest} pixels has data in all bands, and the metric needs one:"
            " leave it out"
        )


def check_names(images: ImageSource) -> list[str]:
    """The names of the images. Raises ValueError when two images have the same name."""
    names = [images.name(index) for index in range(len(images))]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"several images have the name {twice[0]} and differ only in their endings")
    return names


def check_side(name: str, image: np.ndarray, *, smallest: int) -> None:
    """Raises ValueError for an image with a side of less than `smallest` pixels."""
    height, width = image.shape[:2]
    if min(height, width) < smallest:
        raise ValueError(f"{name}: {width} x {height} pixels; the metric needs {smallest} on each side")
