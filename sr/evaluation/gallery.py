"""The pictures of an evaluation: what each net made of each image, kept as files and read back one image at a time."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sr.evaluation.sets import EvaluationSet
from sr.ops.image import viewable
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png

LR, HR = "LR", "HR"


class Gallery:
    """Every version of every image, as 8-bit RGB.

    Files are `<directory>/<set>/<name>.png` of one model, `<directory>/<set>/<model>/<name>.png` of several. The
    baseline has none, unless it is alone: it is made again where it is shown.

    Args:
        directory: made where it is missing.
        sets: name -> images.
        models: names of the models, the baseline last.
        baseline: (1, C, H, W) LR -> SR.
    """

    def __init__(
        self,
        *,
        directory: Path,
        sets: Mapping[str, EvaluationSet],
        models: list[str],
        baseline: nn.Module,
    ) -> None:
        self.directory = directory
        self.sets = sets
        self.models = models
        self.baseline = baseline
        self.kept = models[:-1] or models

    def save(self, set_name: str, model: str, index: int, sr: Tensor) -> None:
        """(C, H, W) float, what a model made of an image."""
        if model in self.kept:
            write_png(self._path(set_name, model, index), viewable(sr))

    def versions(self, set_name: str, index: int) -> dict[str, np.ndarray]:
        """`{"LR", baseline, model, ..., "HR"}`, (H, W, 3) uint8; all of HR's size but LR, which has its own."""
        images = self.sets[set_name]
        item = images[index]
        lr, hr = item["lr"], item["hr"]
        pictures = {}
        for model in (self.models[-1], *self.models[:-1]):
            if model in self.kept:
                pictures[model] = read_image(self._path(set_name, model, index))
            else:
                with torch.no_grad():
                    sr = images.at_hr_size(self.baseline(lr[None]), hr[None])[0]
                pictures[model] = viewable(sr)
        return {LR: viewable(lr), **pictures, HR: viewable(hr)}

    def _path(self, set_name: str, model: str, index: int) -> Path:
        folder = self.directory / set_name / model if len(self.kept) > 1 else self.directory / set_name
        return folder / f"{self.sets[set_name].name(index)}.png"
