"""What processes tell one another; that whole runs act on it is held by tests/training and tests/reliability."""

from typing import Any

import pytest
import torch
from torch import nn

from sr.training import consensus
from sr.training.consensus import SAVE, STOP, Answer, Consensus, Reading
from sr.training.skip import may_step, skips_on_device

FINE = (1.0, 1.0, 1.0, 1.0)


class Training:
    """A weight whose gradient is 1, by an optimizer of torch."""

    def __init__(self, kind: Any = torch.optim.Adam, *, on_device: bool = False, **settings: Any) -> None:
        self.on_device = on_device
        self.weight = nn.Parameter(torch.zeros(1))
        self.optimizer = kind([self.weight], lr=0.1, **settings)
        self.consensus = Consensus()
        self.iteration = 0

    def step(self, loss: float, *, gradient: float = 1.0, elsewhere: tuple[float, ...] = FINE) -> float:
        """`elsewhere`: what another process says: losses finite, gradients, nobody asks to stop, to save."""
        self.iteration += 1
        self.weight.grad = torch.ones(1)
        consensus.least = lambda numbers: torch.minimum(numbers, torch.tensor(elsewhere))
        good = self.consensus.ask(
            iteration=self.iteration,
            losses={"l1": torch.tensor(0.5), "loss_g": torch.tensor(loss)},
            gradients=[torch.tensor(gradient)],
            batch={"number": self.iteration},
            wait=not self.on_device,
        ).good
        if may_step([self.optimizer], unless=good, on_device=self.on_device):
            self.optimizer.step()
        return float(good)


@pytest.fixture(autouse=True)
def _another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consensus, "least", consensus.least)  # which steps replace, and back afterwards


NAN = float("nan")
KINDS = [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.Adam, {}), (torch.optim.AdamW, {"fused": True})]


@pytest.mark.parametrize(("kind", "settings"), KINDS)
@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_bad_numbers_leave_weights_and_momenta_alone(kind: Any, settings: dict, bad: float) -> None:
    training, undisturbed = Training(kind, **settings), Training(kind, **settings)
    assert [training.step(loss) for loss in (1.0, bad, 1.0)] == [1, 0, 1]
    for _ in range(2):
        undisturbed.step(1.0)
    assert torch.equal(training.weight, undisturbed.weight)
    assert training.consensus.latest == Answer(3, True, frozenset())
    assert (training.consensus.bad_in_a_row, training.consensus.bad_in_all) == (0, 1)
    assert training.consensus.bad is not None
    assert training.consensus.bad.batch["number"] == 2


def test_it_is_said_where_the_bad_numbers_are() -> None:
    training = Training()
    for loss, gradient, elsewhere, where in (
        (1.0, 1.0, 0.0, "on another process"),
        (NAN, NAN, 1.0, "here"),
        (1.0, NAN, 1.0, "in a gradient"),
    ):
        assert training.step(loss, gradient=gradient, elsewhere=(elsewhere, 1.0, 1.0, 1.0)) == 0
        assert training.consensus.bad.where() == where
    assert training.weight.item() == 0
    assert training.consensus.bad_in_a_row == 3


def test_requests_of_any_process_reach_all() -> None:
    training = Training()
    training.consensus.requests.add(SAVE)
    training.step(1.0, elsewhere=(1.0, 1.0, 0.0, 1.0))
    assert training.consensus.latest == Answer(1, True, frozenset({STOP, SAVE}))
    training.consensus.requests.clear()
    training.step(1.0)
    assert training.consensus.latest.requests == frozenset()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, whose answer travels."""
    monkeypatch.setattr(Reading, "on_its_way", lambda self: self)


@pytest.mark.usefixtures("waiting")
def test_where_it_would_wait_weights_are_kept_at_once_and_the_answer_comes_later() -> None:
    training, undisturbed = Training(fused=True, on_device=True), Training(fused=True, on_device=True)
    training.step(1.0)
    training.step(NAN)
    assert training.consensus.latest == Answer(1, True, frozenset())
    undisturbed.step(1.0)
    assert torch.equal(training.weight, undisturbed.weight)
    training.step(1.0)
    undisturbed.step(1.0)
    assert training.consensus.latest == Answer(2, False, frozenset())
    assert training.consensus.bad_in_a_row == 1
    assert torch.equal(training.weight, undisturbed.weight)
    training.consensus.settle()
    assert training.consensus.latest.iteration == 3
    assert training.consensus.bad_in_a_row == 0


@pytest.mark.parametrize(
    ("device", "fused", "expected"),
    [("cuda", (True, True), True), ("cuda", (True, False), False), ("cpu", (True, True), False)],
)
def test_only_fused_optimizers_on_a_gpu_need_no_answer_before_they_step(
    device: str, fused: tuple[bool, ...], expected: bool
) -> None:
    optimizers = [torch.optim.Adam([nn.Parameter(torch.zeros(1))], fused=each) for each in fused]
    assert skips_on_device(optimizers, torch.device(device)) == expected


def test_the_answer_withholds_nothing_by_itself() -> None:
    """Asking is one verb, withholding another."""
    weight = nn.Parameter(torch.zeros(1))
    weight.grad = torch.ones(1)
    verdict = Consensus().ask(
        iteration=1, losses={"loss_g": torch.tensor(NAN)}, gradients=[torch.tensor(1.0)], batch={}, wait=True
    )
    assert verdict.good == 0
    assert torch.equal(weight.grad, torch.ones(1))
    assert not may_step([torch.optim.SGD([weight])], unless=verdict.good, on_device=False)
