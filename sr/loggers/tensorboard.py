"""A TensorBoard logger, which a resumed run continues."""

from lightning.pytorch.loggers import TensorBoardLogger

from sr.ops.private_lightning import hide_from


class ResumableTensorBoardLogger(TensorBoardLogger):
    """Lightning's TensorBoard logger; the arguments are the same."""

    def rewind(self, iteration: int) -> None:
        """Hide what an interrupted run logged after the first `iteration` iterations."""
        hide_from(self, iteration + 1)
