"""A TensorBoard logger, which a resumed run continues."""

from typing import Any

from lightning.pytorch.loggers import TensorBoardLogger

from sr.ops.private_lightning import hide_from


class ResumableTensorBoardLogger(TensorBoardLogger):
    """Lightning's TensorBoard logger; the arguments are the same.

    By default it has no curve `hp_metric`, which Lightning draws of a number that means nothing.
    """

    def __init__(self, *, save_dir: str, default_hp_metric: bool = False, **others: Any) -> None:
        super().__init__(save_dir=save_dir, default_hp_metric=default_hp_metric, **others)

    def rewind(self, iteration: int) -> None:
        """Hide what an interrupted run logged after the first `iteration` iterations."""
        hide_from(self, iteration + 1)
