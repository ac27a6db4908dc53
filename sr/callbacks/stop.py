"""Signals that end a run after its state is saved."""

import logging
import signal
import threading
from types import FrameType

import lightning as L
from tqdm import tqdm

from sr.callbacks.sr_module import sr_module
from sr.ops.signals import END_OF_RUN, Handler, heeded
from sr.training.consensus import STOP

log = logging.getLogger(__name__)


class Stopped(RuntimeError):
    """The run was asked to stop, and its state is saved."""


class StopSignals(L.Callback):
    """Requests a save and a stop after the iteration in which any process receives a first signal.

    `sr.callbacks.checkpoints` carries out both. During a validation, and in the last iteration of an epoch, they follow
    after the validation. A second signal ends the process at once.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Handler] = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Note the handlers that are restored at the end; ours come later, since Lightning sets its own after this."""
        if threading.current_thread() is threading.main_thread():
            self._before = heeded(END_OF_RUN)

    def on_sanity_check_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._heed(sr_module(pl_module).consensus.requests)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._heed(sr_module(pl_module).consensus.requests)

    def _heed(self, requests: set[str]) -> None:
        def handle(number: int, frame: FrameType | None) -> None:
            if STOP in requests:
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            requests.add(STOP)
            with tqdm.external_write_mode():  # the line goes above the progress bar, not into it
                log.warning(
                    "%s: stops when this iteration is saved (again: stops at once)",
                    signal.Signals(number).name,
                )

        for number in self._before:
            signal.signal(number, handle)

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
