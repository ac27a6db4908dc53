"""A checkpoint that explains itself."""

from typing import Any

import lightning as L


class ConfigRecord(L.Callback):
    """Puts the resolved configuration into every checkpoint, under `config`, and a readable form into the loggers.

    Args:
        config: the resolved configuration as plain dicts, lists and scalars, which `weights_only` loading can read.
        readable: the form for the loggers, see `sr.run.readable_config`.
    """

    def __init__(self, *, config: dict[str, Any], readable: dict[str, Any]) -> None:
        self.config = config
        self.readable = readable

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for logger in trainer.loggers:
            logger.log_hyperparams(self.readable)

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint["config"] = self.config
