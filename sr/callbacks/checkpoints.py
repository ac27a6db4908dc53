"""Which states of a run are kept, and when they are saved."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint

from sr.callbacks.sr_module import sr_module
from sr.callbacks.stop import Stopped
from sr.loggers.checkpoint_logger import CheckpointLogger
from sr.metrics.monitor import Monitor
from sr.metrics.quantity import Quantity
from sr.ops.private_lightning import begin_loops_anew, validates_now
from sr.ops.whole_file import UNFINISHED, remove_unfinished
from sr.run.checkpoint_names import BEST, LAST, checkpoint_name
from sr.run.ranked_files import Ranking, rearrange, second_name
from sr.training.consensus import SAVE, STOP, Consensus

log = logging.getLogger(__name__)


class Checkpoints(Checkpoint):
    """Saves the newest states and the best ones, so that a run can go on exactly where it was.

    `last.ckpt` is saved at the end of every epoch, and within an epoch when it is due; `last-1.ckpt` is the one that
    was saved before it. `best.ckpt` has the state of the best validation, `best-1.ckpt` that of the second best. Each
    phase of a run has its own: when the GAN begins, the best of the pixel phase becomes `best_pixel.ckpt`, since a GAN
    lowers the PSNR that it was chosen by, and `best.ckpt` is the best of the GAN from there on.

    A choice within a margin (`sr.metrics.monitor`) also keeps the states that can still become the best when a later
    validation raises the bar, behind the others; `best.ckpt` may then become an older state than it was.

    `best.ckpt` is saved when a validation ends. Within an epoch, `last.ckpt` is saved between two iterations with no
    validation between them: there Lightning's loops hold nothing that a resumed run would lack. A save that becomes
    due at any other moment waits for the next such one.

    Args:
        directory: the directory of the files.
        monitor: the metric of validation, or the choice by several (`Monitor.of`), that says which state is the best.
        every_n_iterations: the number of iterations between two saves within an epoch; None saves only at the end of
            epochs, or by the clock.
        every_minutes: the number of minutes between two saves within an epoch; None does not look at the clock.
        keep_last: the number of newest states that are kept.
        keep_best: the number of best states that are kept.
    """

    def __init__(
        self,
        *,
        directory: str,
        monitor: str | Mapping[str, Any],
        every_n_iterations: int | None = None,
        every_minutes: float | None = None,
        keep_last: int = 2,
        keep_best: int = 1,
    ) -> None:
        for key, value in (("keep_last", keep_last), ("keep_best", keep_best)):
            if value < 1:
                raise ValueError(f"{key}={value} must be 1 or more")
        for key, rhythm in (("every_n_iterations", every_n_iterations), ("every_minutes", every_minutes)):
            if rhythm is not None and rhythm <= 0:
                raise ValueError(f"{key}={rhythm} must be positive, or null")
        self.directory = Path(directory)
        self.monitor = Monitor.of(monitor, key="callbacks.checkpoints.monitor")
        self.every_n_iterations = every_n_iterations
        self.every_minutes = every_minutes
        self.keep = {LAST: keep_last, BEST: keep_best}
        self._best: list[
            dict[str, Any]
        ] = []  # values and iteration of the best states, in the order of their files
        self._phase: int | None = None  # the iteration at which the phase of the best states began
        self._due = False
        self._stopping = False
        self._saved_at = monotonic()
        self._unsaved: Ranking | None = (
            None  # with the state that was validated last, if that is one of the best
        )
        self._epoch_ends = False
        self._resumed_at_epoch_end = False

    # When

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self.monitor.check(sr_module(pl_module).metric.quantities, key="callbacks.checkpoints.monitor")
        if trainer.is_global_zero:
            remove_unfinished(self.directory)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._saved_at = monotonic()
        if self._resumed_at_epoch_end:
            # The epoch was complete, so the loops begin anew instead of going on in it.
            begin_loops_anew(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        consensus = sr_module(pl_module).consensus
        if self._time_has_come(trainer):
            consensus.requests.add(SAVE)  # the clocks of other processes may differ
        asked = consensus.latest.requests
        every = self.every_n_iterations
        self._due |= bool(asked & {SAVE, STOP}) or (every is not None and trainer.global_step % every == 0)
        # Bad numbers may come from the weights, so none are saved while they last.
        trusted = consensus.bad_in_a_row == 0 or STOP in asked
        if self._due and trusted and self._between_iterations(trainer):
            self._save_last(trainer, consensus)
            self._stopping = STOP in asked

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop here, and not at the end of the previous iteration, whose metrics Lightning had not logged yet."""
        if self._stopping:
            raise Stopped

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.sanity_checking:
            return
        self._enter_phase(trainer, sr_module(pl_module).phases())
        ranking = self._rank(trainer, sr_module(pl_module).metric.quantities)
        if ranking is None:
            return
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._unsaved = ranking
        else:
            self._put(trainer, self._save(trainer, BEST), BEST, ranking)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        consensus = sr_module(pl_module).consensus
        self._epoch_ends = True
        self._save_last(trainer, consensus)
        self._epoch_ends = False
        if self._unsaved is not None:
            self._put(trainer, self._linked(trainer), BEST, self._unsaved)
            self._unsaved = None
        if consensus.agree(STOP, device=pl_module.device):
            raise Stopped

    def _time_has_come(self, trainer: L.Trainer) -> bool:
        if self.every_minutes is None or not trainer.is_global_zero:
            return False
        return monotonic() - self._saved_at > 60 * self.every_minutes

    @staticmethod
    def _between_iterations(trainer: L.Trainer) -> bool:
        return not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch and not validates_now(trainer)

    # How

    def _rank(self, trainer: L.Trainer, quantities: Mapping[str, Quantity]) -> Ranking | None:
        """Count the state that was validated among the best; None if it is none of them."""
        values = {name: float(trainer.callback_metrics[f"val/{name}"]) for name in self.monitor.names}
        states = [*self._best, {"iteration": trainer.global_step, "values": values}]
        order = self.monitor.kept([state["values"] for state in states], quantities, count=self.keep[BEST])
        ranking = Ranking(order=order, before=len(self._best))
        if ranking.before not in order:
            return None
        self._best = [states[index] for index in order]
        if order[0] not in (0, ranking.before):
            chosen = self._best[0]
            texts = [f"{name} {quantities[name].text(value)}" for name, value in chosen["values"].items()]
            log.info("best.ckpt is that of iteration %d again: %s", chosen["iteration"], ", ".join(texts))
        return ranking

    def _save_last(self, trainer: L.Trainer, consensus: Consensus) -> None:
        keep = self.keep[LAST]
        self._put(
            trainer, self._save(trainer, LAST), LAST, Ranking(order=[keep, *range(keep - 1)], before=keep)
        )
        consensus.requests.discard(SAVE)
        self._due, self._saved_at = False, monotonic()

    def _fresh(self, kind: str) -> Path:
        return self.directory / f".{kind}{UNFINISHED}"

    def _save(self, trainer: L.Trainer, kind: str) -> Path:
        """Write a new file beside the others, so that at every moment there is a whole one."""
        fresh = self._fresh(kind)
        trainer.save_checkpoint(fresh, weights_only=False)  # optimizers and loops too
        return fresh

    def _linked(self, trainer: L.Trainer) -> Path:
        """A second name of `last.ckpt`, which has a state that belongs to the best."""
        fresh = self._fresh(BEST)
        if trainer.is_global_zero:
            second_name(self.directory / checkpoint_name(LAST, 0), fresh)
        return fresh

    def _put(self, trainer: L.Trainer, fresh: Path, kind: str, ranking: Ranking) -> None:
        """Put a new file among the others, and give loggers that take checkpoints the newest and the best."""
        if trainer.is_global_zero:
            rearrange(self.directory, kind, ranking, fresh=fresh)
            for logger in trainer.loggers:
                if ranking.changes_first and isinstance(logger, CheckpointLogger):
                    logger.log_checkpoint(self.directory / checkpoint_name(kind, 0), kind)
        trainer.strategy.barrier()  # a process that ends earlier would take the first one with it

    def _enter_phase(self, trainer: L.Trainer, phases: Mapping[int, str]) -> None:
        """Set the best states aside where the state that was validated is the first of another phase."""
        begin = max((each for each in phases if each < trainer.global_step), default=0)
        before, self._phase = self._phase, begin
        if before is None or before == begin or not self._best:
            return
        kept = len(self._best)
        self._best = []
        if not trainer.is_global_zero:
            return
        aside = f"{BEST}_{phases[before].lower()}"
        for index in range(kept):
            file = self.directory / checkpoint_name(BEST, index)
            place = self.directory / checkpoint_name(aside, index)
            if file.exists() and not place.exists():  # a resumed run may come here a second time
                file.replace(place)
        log.info(
            "%s.ckpt: the best of the phase before %s; best.ckpt is now the best of it", aside, phases[begin]
        )

    # The state of this callback in a checkpoint

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": list(self._best),
            "monitor": asdict(self.monitor),
            "phase": self._phase,
            "epoch_ends": self._epoch_ends,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        monitor, best = state_dict.get("monitor"), list(state_dict["best"])
        if not isinstance(monitor, Mapping):  # a checkpoint from before there was a choice by several metrics
            name = monitor or self.monitor.name
            monitor = asdict(Monitor.of(name))
            best = [{"iteration": None, "values": {name: value}} for value in best]
        # The values of different metrics cannot be compared.
        self._best = best if monitor == asdict(self.monitor) else []
        self._phase = state_dict.get("phase")
        self._resumed_at_epoch_end = state_dict["epoch_ends"]

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        if self._epoch_ends:
            # Lightning counts an epoch as completed only after this hook: a resumed run would end it a second time.
            for count in checkpoint["loops"]["fit_loop"]["epoch_progress"].values():
                count["completed"] = count["processed"]
