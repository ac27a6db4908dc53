"""A weight that follows the iteration: its values, what compiled code makes of it, and what is refused."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sr.losses.pixel import L1Loss
from sr.losses.weight_schedule import WeightSchedule
from sr.losses.weighted import WeightedLoss, WeightedTerm

SR, HR = torch.full((1, 3, 2, 2), 0.75), torch.full((1, 3, 2, 2), 0.25)  # L1 0.5


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"from": 0, "to": 1, "over": 4}, {0: 0, 1: 0.25, 2: 0.5, 4: 1, 5: 1, 10**7: 1}),
        ({"from": 0.3, "to": 0.1, "over": 2, "after": 3}, {0: 0.3, 3: 0.3, 4: 0.2, 5: 0.1, 6: 0.1}),
        ({"from": 0.0, "to": 2.0, "over": 1, "after": 7}, {7: 0, 8: 2}),
    ],
)
def test_it_is_linear_between_two_constants(mapping: dict[str, Any], expected: dict[int, float]) -> None:
    schedule = WeightSchedule.read(mapping, of="L1Loss")
    found = {iteration: schedule(torch.tensor(iteration)).item() for iteration in expected}
    assert found == pytest.approx(expected, rel=1e-6)
    ends = [schedule(torch.tensor(iteration)) for iteration in (0, max(expected))]
    assert [float(each) for each in ends] == torch.tensor([mapping["from"], mapping["to"]]).tolist()


def test_the_gradient_has_the_weight_of_the_iteration() -> None:
    term = WeightedTerm(weight={"from": 0, "to": 3, "over": 10}, loss=L1Loss())
    for iteration, weight in ((0, 0.0), (5, 1.5), (20, 3.0)):
        sr = SR.clone().requires_grad_()
        value = term(sr, HR, iteration=torch.tensor(iteration))
        assert value.item() == pytest.approx(weight * 0.5)
        value.backward()
        torch.testing.assert_close(sr.grad, torch.full_like(SR, weight / SR.numel()))


def test_at_its_end_it_is_the_constant_weight_to_the_bit() -> None:
    sr, hr = torch.rand(2, 1, 3, 8, 8)
    changing = WeightedTerm(weight={"from": 0.3, "to": 0.1, "over": 3}, loss=L1Loss())
    assert torch.equal(
        changing(sr, hr, iteration=torch.tensor(99)), WeightedTerm(weight=0.1, loss=L1Loss())(sr, hr)
    )


def test_it_is_compiled_once() -> None:
    loss = WeightedLoss(terms={"l1": WeightedTerm(weight={"from": 0, "to": 1, "over": 4}, loss=L1Loss())})
    compiled = 0

    def counting(graph: Any, inputs: Any) -> Any:
        nonlocal compiled
        compiled += 1
        return graph.forward

    loss.compile(backend=counting, fullgraph=True)
    values = [loss(SR, HR, iteration=torch.full((), each))["l1"].item() for each in range(6)]
    assert values == pytest.approx([0.0, 0.125, 0.25, 0.375, 0.5, 0.5])
    assert compiled == 1


def test_nothing_of_it_is_in_a_checkpoint() -> None:
    term = WeightedTerm(weight={"from": 0, "to": 1, "over": 4}, loss=L1Loss())
    assert not term.state_dict()


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"from": 0, "to": 1}, "lacks over"),
        ({}, "lacks from, to, over"),
        ({"from": 0, "to": 1, "over": 4, "until": 3}, "has no key until; it has from, to, over, after"),
        ({"from": -1, "to": 1, "over": 4}, "weight.from=-1 of L1Loss must be finite and at least 0"),
        ({"from": 0, "to": float("inf"), "over": 4}, "weight.to=inf of L1Loss"),
        ({"from": 0, "to": "one", "over": 4}, "weight.to=one of L1Loss"),
        ({"from": 0, "to": 1, "over": 0}, "weight.over=0 of L1Loss must be a whole number .* at least 1"),
        ({"from": 0, "to": 1, "over": 1e3}, "weight.over=1000.0 of L1Loss must be a whole number"),
        ({"from": 0, "to": 1, "over": 4, "after": -1}, "weight.after=-1 of L1Loss .* at least 0"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_key(mapping: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WeightedTerm(weight=mapping, loss=L1Loss())


def test_a_loss_says_what_it_wants() -> None:
    class Fading(nn.Module):
        wants = frozenset({"iteration"})

        def forward(self, sr: Tensor, hr: Tensor, *, iteration: Tensor) -> Tensor:
            return (sr - hr).abs().mean() / (1 + iteration)

    loss = WeightedLoss(
        terms={
            "fading": WeightedTerm(weight=2.0, loss=Fading()),
            "l1": WeightedTerm(weight=1.0, loss=L1Loss()),
        }
    )
    assert loss.wants == {"iteration"}
    values = loss(SR, HR, iteration=torch.tensor(3))
    assert {name: value.item() for name, value in values.items()} == {"fading": 0.25, "l1": 0.5}
    with pytest.raises(ValueError, match="the term of Fading needs iteration="):
        loss(SR, HR)
    Fading.wants = frozenset({"epoch"})
    with pytest.raises(ValueError, match=r"Fading.wants names epoch; choose from iteration, average"):
        WeightedTerm(weight=1.0, loss=Fading())
