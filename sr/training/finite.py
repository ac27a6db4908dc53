"""Stopping a run whose losses are no numbers any more."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

log = logging.getLogger(__name__)


class DivergedError(RuntimeError):
    """A loss became NaN or infinite."""


@dataclass(frozen=True)
class Reading:
    """The losses of one iteration, and whether they are finite: `here`, and `everywhere` on all processes."""

    here: Tensor
    everywhere: Tensor
    arrived: torch.cuda.Event | None
    terms: Mapping[str, Tensor]
    batch: Mapping[str, Any]
    iteration: int

    def on_its_way(self) -> "Reading":
        """With `everywhere` travelling from the GPU, which works on meanwhile."""
        host = torch.empty_like(self.everywhere, device="cpu", pin_memory=True)
        host.copy_(self.everywhere, non_blocking=True)
        arrived = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrived.record()
        return replace(self, everywhere=host, arrived=arrived)

    def is_finite(self) -> bool:
        if self.arrived is not None:
            self.arrived.synchronize()
        return bool(self.everywhere)


class FiniteWatch:
    """Stops all processes together, so that none is left waiting for another, and saves the batch.

    On a CPU before the weights are touched. A GPU would stand still for an answer, so there it is asked for one
    iteration later, and before anything is validated or saved.
    """

    def __init__(self) -> None:
        self._travelling: Reading | None = None

    def look(
        self,
        terms: Mapping[str, Tensor],
        *,
        batch: Mapping[str, Any],
        iteration: int,
        module: L.LightningModule,
    ) -> None:
        """Raises DivergedError."""
        here = torch.stack([value.float() for value in terms.values()]).isfinite().all()
        everywhere = module.trainer.strategy.reduce(here.float(), reduce_op="min")
        assert isinstance(everywhere, Tensor)
        reading = Reading(here, everywhere, None, terms, batch, iteration)
        if _would_wait(here):
            self.settle(module)
            self._travelling = reading.on_its_way()
        else:
            _stop_unless_finite(reading, module)

    def settle(self, module: L.LightningModule) -> None:
        """Wait for the answer of the last iteration, if it is due. Raises DivergedError."""
        reading, self._travelling = self._travelling, None
        if reading is not None:
            _stop_unless_finite(reading, module)


def _would_wait(answer: Tensor) -> bool:
    return answer.device.type == "cuda"


def _stop_unless_finite(reading: Reading, module: L.LightningModule) -> None:
    if reading.is_finite():
        return
    values = {key: value.item() for key, value in reading.terms.items()}
    rank, iteration = module.global_rank, reading.iteration + 1
    path = Path(module.trainer.default_root_dir) / "diverged" / f"iteration-{iteration}-rank-{rank}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"iteration": iteration, "terms": values, "batch": dict(reading.batch)}, path)
    shown = ", ".join(f"{key}={value:.6g}" for key, value in values.items())
    where = "on another process" if reading.here else "here"
    message = (
        f"iteration {iteration}: a loss is not finite ({where}; rank {rank} has {shown}). The checkpoints"
        f" are those of iterations before, the batch is in {path}. Try a lower learning rate,"
        " model.gradient_clip=1 or model.warmup_iterations=1000"
    )
    if module.trainer.world_size > 1:
        # Lightning kills what is left when the first process ends: say it while we can.
        log.error(message)
    raise DivergedError(message)
