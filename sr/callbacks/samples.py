"""Pictures of super-resolved validation images."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from sr.callbacks.sr_module import sr_module
from sr.callbacks.validation_images import ValidationImages
from sr.loggers.sheet import sheet
from sr.loggers.show import show
from sr.metrics.quantity import check_monitor
from sr.ops.three_bands import check_bands, checked_bands
from sr.pictures.writing import write_png

log = logging.getLogger(__name__)

BANDS = "callbacks.samples.bands"


class SamplePictures(L.Callback):
    """Shows LR, bicubic, SR and HR of some images at every validation: of the first ones, of the worst and of the best.

    They become labelled files, `<name>_<iteration>.png`, `<iteration>_worst.png` and `<iteration>_best.png`, and what
    the loggers can show (`sr.loggers.show`).

    Args:
        directory: the directory of the files.
        monitor: the metric that says which image is the worst and which the best, and whose value is on the files.
        count: the number of images that every validation shows; 0 shows none, and no worst and best.
        largest: the side in HR pixels to which pictures are cut, around the middle; None shows whole images.
        bands: three bands, counted from 0, that are shown as red, green and blue; None shows gray or RGB as such, and
            the first three of many.
    """

    def __init__(
        self,
        *,
        directory: str,
        monitor: str,
        count: int = 3,
        largest: int | None = 768,
        bands: Sequence[int] | None = None,
    ) -> None:
        for key, value, least in (("count", count, 0), ("largest", largest, 1)):
            if value is not None and value < least:
                raise ValueError(f"{key}={value} must be {least} or more")
        self.directory = Path(directory)
        self.monitor = monitor
        self.count = count
        self.largest = largest
        self.bands = checked_bands(bands, key=BANDS)
        self._said = False
        self._images: ValidationImages | None = None

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        metric = sr_module(pl_module).metric
        check_monitor(self.monitor, metric.quantities, key="callbacks.samples.monitor")
        self._images = ValidationImages(
            count=self.count, largest=self.largest, metric=metric, monitor=self.monitor, bands=self.bands
        )

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if not trainer.sanity_checking:
            assert self._images is not None
            self._say_bands(batch["hr"].shape[1])
            self._images.add(batch, sr=outputs["sr"], values=outputs["values"])

    def _say_bands(self, channels: int) -> None:
        """Say once what pictures of many bands show. Raises ValueError where images do not have the bands."""
        if self._said or not self.count:
            return
        if self.bands is not None:
            check_bands(self.bands, channels=channels, key=BANDS)
        if self.bands is not None or channels not in (1, 3):
            shown = self.bands or list(range(min(channels, 3)))
            rank_zero_only(log.info)("pictures show the bands %s, counted from 0, of %d", shown, channels)
        self._said = True

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        assert self._images is not None
        found = self._images.take(trainer)
        if not trainer.is_global_zero:
            return
        number = f"{found.iteration:07d}"
        for image, pictures in found.always_shown():
            name = image.name.replace("/", "_")
            write_png(self.directory / f"{name}_{number}.png", sheet(found, image, pictures))
        for word, image, pictures in found.extremes():
            write_png(self.directory / f"{number}_{word}.png", sheet(found, image, pictures))
        for logger in trainer.loggers:
            show(found, logger)
