import math
from functools import partial

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, CosineAnnealingWarmRestarts, MultiStepLR

from sr.training.schedule import AdversarialRamp, build_scheduler, cosine_to_share


def rates(factory: partial, *, warmup: int, iterations: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build_scheduler(optimizer, factory, warmup_iterations=warmup)
    seen = []
    for _ in range(iterations):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return seen


def test_multistep_without_warmup() -> None:
    seen = rates(partial(MultiStepLR, milestones=[2, 4], gamma=0.5), warmup=0, iterations=6)
    assert seen == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_warmup_then_the_schedule_from_its_beginning() -> None:
    seen = rates(partial(MultiStepLR, milestones=[2], gamma=0.5), warmup=3, iterations=8)
    assert seen == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1, 1, 0.5, 0.5, 0.5])


def test_warmup_then_cosine_restarts() -> None:
    seen = rates(partial(CosineAnnealingWarmRestarts, T_0=4), warmup=1, iterations=6)
    cosine = [(1 + math.cos(math.pi * step / 4)) / 2 for step in range(4)]
    assert seen == pytest.approx([0.5, *cosine, 1.0])


def test_cosine_to_a_share_of_each_rate_and_no_further() -> None:
    one, other = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [one], "lr": 1.0}, {"params": [other], "lr": 1e-3}])
    scheduler = cosine_to_share(optimizer, T_max=4, share=0.1)
    seen = []
    for _ in range(7):
        seen.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    expected = [0.1 + 0.9 * (1 + math.cos(math.pi * step / 4)) / 2 for step in range(5)] + [0.1, 0.1]
    assert [rate for rate, _ in seen] == pytest.approx(expected)
    assert [rate for _, rate in seen] == pytest.approx([1e-3 * rate for rate in expected])
    with pytest.raises(ValueError, match="scheduler share=2 must be a number from 0 to 1"):
        cosine_to_share(optimizer, T_max=4, share=2)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("linear", [0.25, 0.5, 0.75, 1, 1]), ("cosine", [0.1464466, 0.5, 0.8535534, 1, 1])],
)
def test_ramp(shape: str, expected: list[float]) -> None:
    ramp = AdversarialRamp(generator_only=2, ramp=3, shape=shape)
    assert ramp(0) is None
    assert ramp(1) is None
    assert [ramp(iteration) for iteration in range(2, 7)] == pytest.approx(expected)


def test_a_schedule_to_the_end_of_an_endless_run_is_refused() -> None:
    for factory in (partial(CosineAnnealingLR, T_max=-1), partial(cosine_to_share, T_max=-1, share=0.1)):
        with pytest.raises(ValueError, match=r"T_max=-1: it ends with the run, so set trainer\.max_steps"):
            rates(factory, warmup=0, iterations=1)


def test_no_ramp_counts_in_full_at_once() -> None:
    assert AdversarialRamp()(0) == 1


def test_ramp_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="'sine': choose one of linear, cosine"):
        AdversarialRamp(shape="sine")
    with pytest.raises(ValueError, match="generator_only=-1"):
        AdversarialRamp(generator_only=-1)
