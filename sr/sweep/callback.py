"""What Hydra calls when a sweep begins and ends: `hydra.callbacks` in conf/train.yaml."""

import sys
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class SweepSummary(Callback):
    """Ends the program with status 1 if a job failed, or if another sweep is using the directory.

    Hydra makes it for every command, even for the help, so the work is imported only where there is a sweep.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        from sr.sweep.summary import begin

        begin(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        from sr.sweep.summary import summarize

        if summarize(config.hydra, config):
            sys.exit(1)
