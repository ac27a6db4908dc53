"""The images that the nets make: written as files, and read back one image at a time."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from sr.evaluation.sets import EvaluationSet
from sr.evaluation.versions import Versions
from sr.ops.image import viewable
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png


class Gallery:
    """Every version of every image, as 8-bit RGB.

    A single model has the files `<directory>/<set>/<name>.png`, several have `<directory>/<set>/<model>/<name>.png`.
    The baseline has files only where it is alone; its images are made again where they are shown.

    Args:
        directory: the directory of the files; it is made where it is missing.
        sets: name -> images.
        models: the names of the models, the baseline last.
        baseline: the baseline, (1, C, H, W) LR -> SR.
        bands: the three bands that are shown; None shows gray or RGB as such, and the first three of many.
    """

    def __init__(
        self,
        *,
        directory: Path,
        sets: Mapping[str, EvaluationSet],
        models: Sequence[str],
        baseline: nn.Module,
        bands: Sequence[int] | None = None,
    ) -> None:
        self.directory = directory
        self.sets = sets
        self.models = models
        self.baseline = baseline
        self.bands = bands
        self.kept = models[:-1] or models

    def save(self, set_name: str, model: str, index: int, sr: Tensor) -> None:
        """Write the image that a model made, (C, H, W) float, nominally in [0, 1]."""
        if model in self.kept:
            write_png(self._path(set_name, model, index), viewable(sr, bands=self.bands))

    def versions(self, set_name: str, index: int) -> Versions:
        """All versions of one image."""
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
                pictures[model] = viewable(sr, bands=self.bands)
        return Versions(lr=viewable(lr, bands=self.bands), models=pictures, hr=viewable(hr, bands=self.bands))

    def _path(self, set_name: str, model: str, index: int) -> Path:
        folder = self.directory / set_name / model if len(self.kept) > 1 else self.directory / set_name
        return folder / f"{self.sets[set_name].name(index)}.png"
