"""All on a clock that only moves when somebody sleeps, so that the numbers are exact."""

import logging
import sys
from collections.abc import Iterator
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from sr.callbacks.data_wait import DataWait
from sr.data.loading import TimedLoader
from sr.ops.cores import usable_cores


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Samples(Dataset[Tensor]):
    """`slow` samples that take `seconds` each, then instant ones."""

    def __init__(self, clock: Clock, *, seconds: float, count: int, slow: int | None = None) -> None:
        self.clock, self.seconds, self.count = clock, seconds, count
        self.slow = count if slow is None else slow

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        self.clock.sleep(self.seconds * (index < self.slow))
        return torch.zeros(1)


class Sleeper(L.LightningModule):
    """One training step takes 3 seconds, a validation step 100."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.net = clock, nn.Linear(1, 1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.clock.sleep(3.0)
        return self.net(batch).sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.clock.sleep(100.0)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Waits:
    """A loader of five batches an epoch that were waited for as long as is said, in seconds."""

    last_wait = 0.0

    def __init__(self, *, first: float, others: float, num_workers: int) -> None:
        self.first, self.others, self.num_workers = first, others, num_workers

    def __len__(self) -> int:
        return 5

    def __iter__(self) -> Iterator[Tensor]:
        for number in range(5):
            self.last_wait = self.others if number else self.first
            yield torch.zeros(1, 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("sr.callbacks.data_wait", "sr.data.loading"):
        monkeypatch.setattr(f"{module}.perf_counter", clock)
    return clock


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="sr.callbacks.data_wait")
    return caplog


def fit(clock: Clock, loader: Any, *callbacks: L.Callback, steps: int, **settings: Any) -> L.Trainer:
    trainer = L.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=steps,
        callbacks=list(callbacks or [DataWait()]),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        **{"enable_progress_bar": False, "limit_val_batches": 0} | settings,
    )
    trainer.fit(Sleeper(clock), loader, DataLoader(torch.zeros(1, 1)))
    return trainer


def timed(clock: Clock, *, seconds: float, count: int = 500, **changes: Any) -> TimedLoader[Tensor]:
    return TimedLoader(Samples(clock, seconds=seconds, count=count, **changes), batch_size=1)


def messages(said: pytest.LogCaptureFixture) -> list[str]:
    return [message for name, _, message in said.record_tuples if name == "sr.callbacks.data_wait"]


def level(said: pytest.LogCaptureFixture) -> int:
    (level,) = (level for name, level, _ in said.record_tuples if name == "sr.callbacks.data_wait")
    return level


def test_much_waiting_is_a_warning_with_advice(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, timed(clock, seconds=1.0), steps=40)
    assert messages(said) == [
        "25.0 % of the training time went into waiting for data (iterations 21 to 40): raise data.num_workers"
        f" from 0 to 1 (this machine has {usable_cores()} core(s))"
    ]
    assert level(said) == logging.WARNING


def test_little_waiting_needs_no_advice(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, timed(clock, seconds=3 / 99), steps=40)
    assert messages(said) == ["1.0 % of the training time went into waiting for data (iterations 21 to 40)"]
    assert level(said) == logging.INFO


@pytest.mark.parametrize("steps", [30, 200, 450])
def test_it_is_said_once(clock: Clock, said: pytest.LogCaptureFixture, steps: int) -> None:
    fit(clock, timed(clock, seconds=0.1), steps=steps)
    (message,) = messages(said)
    assert f"(iterations 21 to {min(steps, 200)})" in message


def test_a_run_of_few_iterations_says_nothing(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, timed(clock, seconds=1.0), steps=29)
    assert not messages(said)


def test_every_run_speaks_for_itself(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    callback = DataWait()
    for seconds in (1.0, 0.0):
        fit(clock, timed(clock, seconds=seconds), callback, steps=40)
    shares = [message.split(" of")[0] for message in messages(said)]
    assert shares == ["25.0 %", "0.0 %"]


def test_the_warm_up_is_left_out(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, timed(clock, seconds=1.0, slow=20), steps=40)
    assert messages(said)[0].startswith("0.0 %")


def test_validation_is_neither_waiting_nor_training(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, timed(clock, seconds=1.0, count=10), steps=40, limit_val_batches=1, val_check_interval=5)
    assert clock.now > 40 * 4 + 8 * 100
    assert messages(said)[0].startswith("25.0 %")


def test_the_start_of_an_epoch_has_its_own_advice(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    fit(clock, Waits(first=9.0, others=0.01, num_workers=2), steps=40)
    assert messages(said)[0].startswith("37.6 %")  # 9.04 of 9.04 + 5 * 3 seconds
    assert messages(said)[0].endswith("Set data.iterations_per_epoch above 5")


@pytest.mark.parametrize(
    "waits",
    [
        {"first": 4.0, "others": 2.0, "num_workers": 2},  # every batch is late
        {"first": 9.0, "others": 0.01, "num_workers": 0},  # nobody could have made one ready
    ],
)
def test_longer_epochs_are_advised_where_they_help(
    clock: Clock, said: pytest.LogCaptureFixture, waits: dict[str, Any]
) -> None:
    fit(clock, Waits(**waits), steps=40)
    assert "data.num_workers" in messages(said)[0]
    assert "iterations_per_epoch" not in messages(said)[0]


def test_a_loader_without_a_clock_is_left_alone(clock: Clock, said: pytest.LogCaptureFixture) -> None:
    trainer = fit(clock, DataLoader(torch.zeros(40, 1)), steps=40, log_every_n_steps=10)
    assert not messages(said)
    assert not trainer.callback_metrics


def test_the_metric_is_about_the_iterations_since_the_last_log(clock: Clock) -> None:
    loader = timed(clock, seconds=1.0, slow=50)
    assert fit(clock, loader, steps=60, log_every_n_steps=20).callback_metrics["train/data_wait"].item() == (
        pytest.approx(10 / (10 + 20 * 3))
    )
    assert "train/data_wait" not in fit(clock, loader, steps=20, log_every_n_steps=20).callback_metrics


class Bar(L.Callback):
    """A bar of the kind that a run shows."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.bar = tqdm(total=40, desc="training", file=sys.stdout)

    def on_train_batch_end(self, *arguments: object) -> None:
        self.bar.update(1)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.bar.close()


def test_the_line_does_not_tear_the_bar(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    logger = logging.getLogger("sr.callbacks.data_wait")
    logger.addHandler(handler)
    try:
        loader = timed(clock, seconds=1.0)
        fit(clock, loader, DataWait(), Bar(), steps=40)
    finally:
        logger.removeHandler(handler)
    printed = capsys.readouterr().out
    assert "training:" in printed
    assert "\r25.0 % of the training time" in printed


@pytest.mark.parametrize(("cache", "advised"), [("none", True), ("disk", False), (None, False)])
def test_the_cache_of_the_data_is_looked_at(
    clock: Clock, said: pytest.LogCaptureFixture, cache: str | None, advised: bool
) -> None:
    data = L.LightningDataModule()
    data.train_dataloader = lambda: timed(clock, seconds=1.0)  # type: ignore[method-assign]
    if cache:
        data.cache = cache
    L.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=40,
        callbacks=[DataWait()],
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        limit_val_batches=0,
    ).fit(Sleeper(clock), datamodule=data)
    assert ("data.cache=disk" in messages(said)[0]) == advised
