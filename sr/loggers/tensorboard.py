"""TensorBoard, which a resumed run goes on with."""

from lightning.pytorch.loggers import TensorBoardLogger


class ResumableTensorBoardLogger(TensorBoardLogger):
    """Lightning's TensorBoard logger; the arguments are the same."""

    def rewind(self, iteration: int) -> None:
        """Hide what an interrupted run logged behind the first `iteration` iterations."""
        self._kwargs["purge_step"] = iteration
