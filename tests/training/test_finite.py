"""Runs that diverge; that a whole run stops is held by test_modules and test_two_processes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sr.training import finite
from sr.training.finite import DivergedError, FiniteWatch, Reading


def module(tmp_path: Path, *, elsewhere: float = 1.0) -> Any:
    """Of a process beside another, whose losses are finite or not."""

    def reduce(value: torch.Tensor, reduce_op: str) -> torch.Tensor:
        assert reduce_op == "min"
        return torch.minimum(value, torch.tensor(elsewhere))

    strategy = SimpleNamespace(reduce=reduce)
    trainer = SimpleNamespace(strategy=strategy, default_root_dir=str(tmp_path), world_size=1)
    return SimpleNamespace(trainer=trainer, global_rank=0)


def look(watch: FiniteWatch, loss: float, iteration: int, of: Any) -> None:
    terms = {"l1": torch.tensor(0.5), "loss_g": torch.tensor(loss)}
    watch.look(terms, batch={"lr": torch.full((1,), float(iteration))}, iteration=iteration, module=of)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_at_once_where_asking_costs_nothing(tmp_path: Path, loss: float) -> None:
    watch, of = FiniteWatch(), module(tmp_path)
    look(watch, 1.0, 0, of)
    with pytest.raises(
        DivergedError, match=r"iteration 2: a loss is not finite \(here; rank 0 has l1=0\.5, loss_g="
    ):
        look(watch, loss, 1, of)
    saved = torch.load(tmp_path / "diverged" / "iteration-2-rank-0.pt", weights_only=True)
    assert saved["iteration"] == 2
    assert saved["batch"]["lr"].item() == 1


def test_another_process_stops_this_one(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="on another process"):
        look(FiniteWatch(), 1.0, 0, module(tmp_path, elsewhere=0.0))


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, whose answer travels."""
    monkeypatch.setattr(finite, "_would_wait", lambda answer: True)
    monkeypatch.setattr(Reading, "on_its_way", lambda self: self)


@pytest.mark.usefixtures("waiting")
def test_where_it_would_wait_an_iteration_later(tmp_path: Path) -> None:
    watch, of = FiniteWatch(), module(tmp_path)
    look(watch, 1.0, 0, of)
    look(watch, float("nan"), 1, of)
    with pytest.raises(DivergedError, match="iteration 2: a loss is not finite"):
        look(watch, 1.0, 2, of)
    assert (
        torch.load(tmp_path / "diverged" / "iteration-2-rank-0.pt", weights_only=True)["batch"]["lr"].item()
        == 1
    )


@pytest.mark.usefixtures("waiting")
def test_before_anything_is_saved_the_last_answer_is_waited_for(tmp_path: Path) -> None:
    watch, of = FiniteWatch(), module(tmp_path)
    watch.settle(of)  # nothing was asked
    look(watch, 1.0, 0, of)
    watch.settle(of)
    look(watch, float("nan"), 1, of)
    with pytest.raises(DivergedError, match="iteration 2"):
        watch.settle(of)
    watch.settle(of)  # said once
