"""A content loss that wants the image of the averaged generator gets it, and no other loss pays for it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import BATCH, Pairs, fit, make, small_part, weights
from torch import Tensor, nn

from sr.losses.ldl import LDLLoss
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

KINDS = [PSNRModule, GANModule]


def with_ldl(kind: type[SRModule]) -> Any:
    loss = WeightedLoss(
        terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss()), "ldl": WeightedTerm(weight=5.0, loss=LDLLoss())}
    )
    module = make(kind, content_loss=loss)
    nn.init.constant_(module.generator.conv_last.bias, 0.5)  # an image, and not black
    module.manual_backward = lambda total: total.backward()
    return module


def move_average(module: SRModule, *, by: float) -> None:
    with torch.no_grad():
        module.generator_ema.conv_last.bias.fill_(0.5 + by)


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_the_average_s_image(kind: type[SRModule]) -> None:
    item, found = Pairs(2), []
    for by in (0.0, 0.2):
        module = with_ldl(kind)
        move_average(module, by=by)
        values = module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0)
        with torch.no_grad():
            sr, average = module.generator(item.lr), module.generator_ema(item.lr)
        expected = 5 * LDLLoss()(sr, item.hr, average=average)
        assert values.terms["ldl"].item() == pytest.approx(expected.item(), rel=1e-5)
        found.append(torch.cat([each.grad.flatten() for each in module.generator.parameters()]))
        assert all(each.grad is None for each in module.generator_ema.parameters())
    assert (found[0] - found[1]).norm() > 1e-3 * found[0].norm()


@pytest.mark.parametrize("kind", KINDS)
def test_training_follows_the_average(tmp_path: Path, kind: type[SRModule]) -> None:
    trained = []
    for by in (0.0, 0.2):
        module = with_ldl(kind)
        del module.manual_backward
        move_average(module, by=by)
        fit(module, tmp_path, steps=1, data=Pairs(BATCH))
        trained.append(weights(module.generator))
    assert not torch.equal(*trained)


@pytest.mark.parametrize("kind", KINDS)
def test_validation_takes_the_image_that_is_validated(kind: type[SRModule]) -> None:
    module = with_ldl(kind)
    sr, hr = torch.rand(2, 1, 3, 32, 32)
    if kind is GANModule:
        module.ramp = AdversarialRamp(generator_only=1)  # so that there is no other term
    expected = L1Loss()(sr, hr) + 5 * LDLLoss()(sr, hr, average=sr)
    assert module.losses(sr, hr, iteration=0).generator.item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", [False, True])
def test_the_average_is_run_for_those_who_want_it_alone(
    tmp_path: Path, kind: type[SRModule], wanted: bool
) -> None:
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        assert not torch.is_grad_enabled()

    module = with_ldl(kind) if wanted else make(kind)
    module.__dict__.pop("manual_backward", None)
    module.generator_ema.register_forward_hook(count)
    fit(module, tmp_path, steps=2, data=Pairs(2 * BATCH))
    assert calls == 2 * wanted


def test_a_loss_of_ones_own_can_want_it_too() -> None:
    seen: list[Tensor] = []

    class Own:
        wants = ("average",)

        def __call__(self, sr: Tensor, target: Tensor, *, average: Tensor) -> dict[str, Tensor]:
            seen.append(average)
            return {"own": (sr - average).abs().mean() + (sr - target).abs().mean()}

    module, item = make(PSNRModule, content_loss=Own()), Pairs(2)
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
    module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0)
    assert torch.equal(seen[0], module.averaged(item.lr))
    assert not seen[0].requires_grad
