"""What processes tell one another; that whole runs act on it is held by tests/training and tests/reliability."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from sr import consensus
from sr.consensus import SAVE, STOP, Answer, Consensus, Reading


def module(elsewhere: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)) -> Any:
    """Of a process beside another, which has this to say: losses finite, gradients, nobody asks to stop, to save."""

    def reduce(value: torch.Tensor, reduce_op: str) -> torch.Tensor:
        assert reduce_op == "min"
        return torch.minimum(value, torch.tensor(elsewhere))

    return SimpleNamespace(trainer=SimpleNamespace(strategy=SimpleNamespace(reduce=reduce)))


class Training:
    """A weight whose gradient is 1, by an optimizer of torch."""

    def __init__(self, kind: Any = torch.optim.Adam, **settings: Any) -> None:
        self.weight = nn.Parameter(torch.zeros(1))
        self.optimizer = kind([self.weight], lr=0.1, **settings)
        self.consensus = Consensus()
        self.iteration = 0

    def step(self, loss: float, of: Any, *, gradient: float = 1.0) -> float:
        self.iteration += 1
        self.weight.grad = torch.ones(1)
        finite = self.consensus.ask(
            losses=[torch.tensor(0.5), torch.tensor(loss)],
            gradients=[torch.tensor(gradient)],
            optimizers=[self.optimizer],
            reading={"iteration": self.iteration, "terms": {}, "batch": {"number": self.iteration}},
            module=of,
        )
        self.optimizer.step()
        return float(finite)


NAN = float("nan")
KINDS = [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.Adam, {}), (torch.optim.AdamW, {"fused": True})]


@pytest.mark.parametrize(("kind", "settings"), KINDS)
@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_bad_numbers_leave_weights_and_momenta_alone(kind: Any, settings: dict, bad: float) -> None:
    training, undisturbed = Training(kind, **settings), Training(kind, **settings)
    assert [training.step(loss, module()) for loss in (1.0, bad, 1.0)] == [1, 0, 1]
    for _ in range(2):
        undisturbed.step(1.0, module())
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
        assert training.step(loss, module((elsewhere, 1.0, 1.0, 1.0)), gradient=gradient) == 0
        assert training.consensus.bad.where() == where
    assert training.weight.item() == 0
    assert training.consensus.bad_in_a_row == 3


def test_requests_of_any_process_reach_all() -> None:
    training = Training()
    training.consensus.requests.add(SAVE)
    training.step(1.0, module((1.0, 1.0, 0.0, 1.0)))
    assert training.consensus.latest == Answer(1, True, frozenset({STOP, SAVE}))
    training.consensus.requests.clear()
    training.step(1.0, module())
    assert training.consensus.latest.requests == frozenset()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, whose answer travels."""
    monkeypatch.setattr(consensus, "would_wait", lambda answer: True)
    monkeypatch.setattr(Reading, "on_its_way", lambda self: self)


@pytest.mark.usefixtures("waiting")
def test_where_it_would_wait_weights_are_kept_at_once_and_the_answer_comes_later() -> None:
    training, undisturbed = Training(fused=True), Training(fused=True)
    training.step(1.0, module())
    training.step(NAN, module())
    assert training.consensus.latest == Answer(1, True, frozenset())
    undisturbed.step(1.0, module())
    assert torch.equal(training.weight, undisturbed.weight)
    training.step(1.0, module())
    undisturbed.step(1.0, module())
    assert training.consensus.latest == Answer(2, False, frozenset())
    assert training.consensus.bad_in_a_row == 1
    assert torch.equal(training.weight, undisturbed.weight)
    training.consensus.settle()
    assert training.consensus.latest.iteration == 3
    assert training.consensus.bad_in_a_row == 0


@pytest.mark.usefixtures("waiting")
def test_an_optimizer_that_cannot_skip_on_the_device_is_waited_for() -> None:
    training = Training(torch.optim.SGD)
    training.step(NAN, module())
    assert training.consensus.latest == Answer(1, False, frozenset())
    assert training.weight.item() == 0
