"""Folders of images as training data, in small patches and batches."""

from pathlib import Path
from typing import Any

import torch

from sr.data.origins import FolderData, PairedData
from sr.degradations.bicubic import BicubicDegradation

SHARED: dict[str, Any] = {"scale": 4, "hr_patch_size": 32, "batch_size": 3, "seed": 0, "num_workers": 0}


def folder(photos: Path, **changes: Any) -> FolderData:
    settings = SHARED | {
        "degradation": BicubicDegradation(scale=4),
        "train_dir": str(photos),
        "val_dir": str(photos),
    }
    return FolderData(**settings | changes)


def batches(data: FolderData | PairedData) -> list[dict[str, torch.Tensor]]:
    return list(data.train_dataloader())
