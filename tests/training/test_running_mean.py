from types import SimpleNamespace

import pytest
import torch

from sr.training.running_mean import RunningMean

GOOD, BAD = torch.tensor(1.0), torch.tensor(0.0)


def terms(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def test_each_term_has_a_mean_of_its_own_iterations() -> None:
    running = RunningMean()
    running.add(terms(l1=1.0), GOOD)
    running.add(terms(l1=3.0, loss_d=5.0), GOOD)
    assert {name: value.item() for name, value in running.take().items()} == {"l1": 2.0, "loss_d": 5.0}
    assert running.take() == {}


def test_bad_iterations_do_not_count() -> None:
    running = RunningMean()
    running.add(terms(l1=1.0), GOOD)
    running.add(terms(l1=float("nan")), BAD)
    assert running.take()["l1"].item() == 1.0
    running.add(terms(l1=float("inf")), BAD)
    assert running.take()["l1"].isnan()


def test_a_resumed_mean_is_the_uninterrupted_one() -> None:
    whole, first, second = RunningMean(), RunningMean(), RunningMean()
    for value in (1.0, 2.0):
        whole.add(terms(l1=value), GOOD)
        first.add(terms(l1=value), GOOD)
    alone = SimpleNamespace(reduce=lambda tensor, reduce_op: tensor)
    second.load_state_dict(first.state_dict(alone), torch.device("cpu"))
    for running in (whole, second):
        running.add(terms(l1=6.0), GOOD)
    assert second.take()["l1"].item() == whole.take()["l1"].item() == pytest.approx(3.0)
