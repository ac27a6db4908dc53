"""Pictures of super-resolved validation images."""

from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from torch import Tensor

from sr.ops.image import side_by_side, viewable
from sr.pictures.writing import write_png


class SamplePictures(L.Callback):
    """Writes LR | SR | HR of the first validation images at every validation, and gives them to the loggers.

    LR is enlarged by nearest neighbour, so that its pixels can be seen.

    Args:
        directory: the directory of the files `<name>_<iteration>.png`.
        count: the number of images; 0 writes none.
    """

    def __init__(self, *, directory: str, count: int = 3) -> None:
        if count < 0:
            raise ValueError(f"count={count} must be 0 or more")
        self.directory = Path(directory)
        self.count = count

    @rank_zero_only
    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.sanity_checking or batch_idx >= self.count:
            return
        lr, hr = batch["lr"][0], batch["hr"][0]
        picture = panel(lr, outputs[0], hr)
        name = batch["name"][0].replace("/", "_")
        write_png(self.directory / f"{name}_{trainer.global_step:07d}.png", picture)
        step = trainer.global_step - 1  # Lightning logs the metrics of this validation there
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(key=f"samples/{name}", images=[picture], step=step)
            elif isinstance(logger, TensorBoardLogger):
                logger.experiment.add_image(f"samples/{name}", picture, step, dataformats="HWC")


def panel(lr: Tensor, sr: Tensor, hr: Tensor) -> np.ndarray:
    """(C, h, w), (C, H, W), (C, H, W) in [0, 1] -> LR | SR | HR as one (H, 3 W + gaps, 3) uint8 image."""
    pictures = [viewable(image) for image in (lr, sr, hr)]
    height, width = pictures[2].shape[:2]
    pictures[0] = np.asarray(cv2.resize(pictures[0], (width, height), interpolation=cv2.INTER_NEAREST))
    return side_by_side(pictures)
