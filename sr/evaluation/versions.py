"""One image in all its versions: LR, what each model made of it, and HR."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

LR, HR = "LR", "HR"  # how these two are labelled in pictures and in the report


def label(model: str) -> str:
    """The label of a model's version; a model may have the name LR or HR."""
    return f"{model} (model)" if model in (LR, HR) else model


@dataclass(frozen=True)
class Versions:
    """Versions of one image or of one part of it, (H, W, 3) uint8 RGB.

    Attributes:
        lr: the LR image at its own size.
        models: name of a model -> SR image, of the size of HR; the baseline first.
        hr: the HR image.
    """

    lr: np.ndarray
    models: Mapping[str, np.ndarray]
    hr: np.ndarray

    def labelled(self) -> dict[str, np.ndarray]:
        """Label -> image, in the order in which they are shown."""
        return {LR: self.lr, **{label(model): sr for model, sr in self.models.items()}, HR: self.hr}

    def enlarged(self) -> "Versions":
        """The same with LR at the size of HR, every pixel a rectangle."""
        height, width = self.hr.shape[:2]
        lr = cv2.resize(self.lr, (width, height), interpolation=cv2.INTER_NEAREST)
        return Versions(lr=lr, models=self.models, hr=self.hr)

    def part(self, *, top: int, left: int, height: int, width: int, scale: int = 1) -> "Versions":
        """The same part of all versions.

        Args:
            top: the first row in HR, a multiple of `scale`.
            left: the first column in HR, a multiple of `scale`.
            height: the number of rows in HR, a multiple of `scale`.
            width: the number of columns in HR, a multiple of `scale`.
            scale: the factor by which the other versions are larger than LR.
        """

        def cut(image: np.ndarray, unit: int = 1) -> np.ndarray:
            return image[top // unit : (top + height) // unit, left // unit : (left + width) // unit]

        return Versions(
            lr=cut(self.lr, scale),
            models={model: cut(sr) for model, sr in self.models.items()},
            hr=cut(self.hr),
        )
