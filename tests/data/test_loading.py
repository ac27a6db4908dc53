import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import lightning as L
import pytest
import torch.multiprocessing
from helpers import run_program
from lightning.pytorch.demos.boring_classes import BoringModel, RandomDataset
from torch.utils.data import DataLoader, Dataset

from sr.data import loading
from sr.data.loading import TimedLoader, end_workers, prepare_worker


class Clock:
    """A clock that only moves when somebody takes time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def take(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(loading, "perf_counter", clock)
    return clock


class Samples(Dataset[int]):
    """Each takes its time, in seconds of the clock."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0) -> None:
        self.clock = clock
        self.seconds = seconds

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if self.clock:
            self.clock.take(self.seconds)
        return index


def test_without_workers_one_waits_for_the_loading_alone(clock: Clock) -> None:
    loader = TimedLoader(Samples(clock, 0.02), batch_size=2)
    for _ in loader:
        assert loader.last_wait == pytest.approx(0.04)
        clock.take(0.5)  # what the consumer does meanwhile is no waiting


def test_with_workers_one_waits_until_they_have_the_batch(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of the training process stands still while a worker takes its time, and so does the wait."""

    def batches(loader: Any) -> Iterator[int]:
        clock.take(0.2)
        yield 0
        yield 1  # which was ready

    monkeypatch.setattr(DataLoader, "__iter__", batches)
    loader = TimedLoader(Samples())
    waits = [loader.last_wait for _ in loader]
    assert waits == [pytest.approx(0.2), 0.0]


@pytest.mark.parametrize("workers", [0, 1])
def test_every_epoch_is_whole(workers: int) -> None:
    loader = TimedLoader(Samples(), num_workers=workers, persistent_workers=workers > 0)
    assert len(loader) == 4
    for _ in range(2):
        assert [int(batch) for batch in loader] == [0, 1, 2, 3]


def test_workers_start_with_the_iterator() -> None:
    before = len(multiprocessing.active_children())
    batches = iter(TimedLoader(Samples(), num_workers=1))
    assert len(multiprocessing.active_children()) == before + 1
    assert int(next(batches)) == 0


def test_lightning_keeps_the_class_where_it_exchanges_the_sampler(tmp_path: Path) -> None:
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=1,
        overfit_batches=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    loader = TimedLoader(RandomDataset(32, 4), shuffle=True)
    with pytest.warns(UserWarning, match="disables shuffling|overfit"):
        trainer.fit(BoringModel(), loader)
    assert trainer.train_dataloader is not loader
    assert type(trainer.train_dataloader) is TimedLoader
    assert trainer.train_dataloader.last_wait > 0


class Endless(Dataset[int]):
    """Samples that never come."""

    def __init__(self) -> None:
        self.begun = torch.multiprocessing.Event()

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        self.begun.set()
        threading.Event().wait()
        return index


@pytest.mark.parametrize("kind", [Samples, Endless])
def test_workers_end_whatever_they_are_doing(kind: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "PATIENCE", 0.5)
    samples = kind()
    loader: DataLoader[int] = DataLoader(
        samples, num_workers=2, persistent_workers=True, worker_init_fn=prepare_worker
    )
    iter(loader)
    if isinstance(samples, Endless):
        assert samples.begun.wait(60)
    assert loader._iterator is not None
    workers = loader._iterator._workers  # type: ignore[attr-defined]
    end_workers([loader])
    deadline = monotonic() + 60
    # Two threads may wait for the same process, and the one that comes second knows of its end a moment later.
    while any(worker.is_alive() for worker in workers):
        assert monotonic() < deadline
        sleep(0.01)


def test_a_program_with_workers_ends_after_an_error() -> None:
    """At exit, without anybody who ends them; they ignore the signal by which multiprocessing would."""
    program = """
from torch.utils.data import DataLoader
from sr.data.loading import prepare_worker
loader = DataLoader(range(9), num_workers=2, persistent_workers=True, worker_init_fn=prepare_worker)
next(iter(loader))
raise ValueError("the fault of this test")
"""
    done = run_program("-c", program, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: the fault of this test"
