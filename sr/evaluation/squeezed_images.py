"""Whole images with square LR of one size, whatever the shape of HR."""

from typing import Any

import cv2
import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from sr.data.sources import ImageSource, check_types, say_conversions
from sr.data.whole_images import check_names, check_side
from sr.degradations.record import Record
from sr.ops.image import quantize, to_float, to_tensor
from sr.ops.normalisation import FULL_RANGE


class SqueezedImages(Dataset[dict[str, Any]]):
    """`{"lr", "hr", "index", "name"}` per image: HR at its own size, LR squeezed to a square of `side` pixels.

    The SR image is a square too, and `at_hr_size` resizes it back. Both steps use OpenCV's bicubic interpolation
    without antialiasing and round to 8 bits, as if the result were written to a file. An evaluation uses this class in
    the same way as `sr.data.whole_images.WholeImages`.

    Args:
        hr: the HR images.
        side: the height and width of LR in pixels.

    Raises:
        ValueError: side is less than 1.
    """

    draws = 1
    is_random = False

    def __init__(self, *, hr: ImageSource, side: int) -> None:
        if side < 1:
            raise ValueError(f"squeeze={side} must be 1 or more")
        self.hr = hr
        self.side = side

    def __len__(self) -> int:
        return len(self.hr)

    def name(self, index: int) -> str:
        return self.hr.name(index)

    def check(self, *, smallest: int) -> None:
        """See `WholeImages.check`."""
        names = check_names(self.hr)
        say_conversions(self.hr)
        check_types(self.hr, by=FULL_RANGE)
        for index, name in enumerate(names):
            check_side(name, self.hr[index], smallest=smallest)

    def __getitem__(self, index: int) -> dict[str, Any]:
        hr = to_float(self.hr[index])
        lr = quantize(_resize(hr, (self.side, self.side)))
        return {"lr": to_tensor(lr), "hr": to_tensor(hr), "index": index, "name": self.name(index)}

    def at_hr_size(self, sr: Tensor, hr: Tensor) -> Tensor:
        """(1, C, side * scale, side * scale), clamped, rounded to 8 bits, resized to the size of `hr`."""
        square = quantize(sr[0].float().cpu().permute(1, 2, 0).numpy())
        resized = quantize(_resize(square, (hr.shape[-2], hr.shape[-1])))
        return to_tensor(resized)[None].to(hr)

    def record(self, index: int) -> Record:
        raise AssertionError("nothing is drawn for a squeezed image")


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    # OpenCV takes at most four channels at once.
    parts = [image] if image.shape[2] <= 4 else np.split(image, image.shape[2], axis=2)
    resized = [
        cv2.resize(part, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, -1)
        for part in parts
    ]
    return np.concatenate(resized, axis=2)
