"""Shares of the gradient are kept: the formula, the iteration of both modules, and what is left alone.

Run as a script, this file is one of two processes: `python test_balance.py RANK FOLDER`.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist
from processes import ROOT, finished, running
from small_training import BATCH, Pairs, fit, make, small_part, weights
from torch import Tensor

from sr.losses.edge import EdgeLoss
from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.balance import Balance, weighed
from sr.training.base import SRModule
from sr.training.gan import FirstStage, GANModule
from sr.training.gradient_scale import GradientScales
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp
from sr.training.step_values import StepValues


def content(**weight: float) -> WeightedLoss:
    losses = {"l1": L1Loss(), "edge": EdgeLoss(), "mse": MSELoss()}
    return WeightedLoss(
        terms={
            name: WeightedTerm(weight=weight.get(name, 1.0), loss=loss)
            for name, loss in losses.items()
            if name != "mse" or name in weight
        }
    )


def norms_of(gradients: dict[str, Tensor]) -> dict[str, float]:
    return {term: float(np.linalg.norm(gradient.numpy())) for term, gradient in gradients.items()}


def random_gradients(**size: float) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        term: factor * torch.randn(4, 3, generator=generator, dtype=torch.float64)
        for term, factor in size.items()
    }


def test_named_terms_have_their_shares_and_the_others_the_rest() -> None:
    gradients = random_gradients(l1=1.0, edge=7.0, style=0.1, adversarial=300.0)
    factors = Balance({"adversarial": 0.3, "style": 0.2}).factors(gradients, grown={})
    assert factors.keys() == {"adversarial", "style"}
    found = {term: (factors[term] * gradients[term]).numpy() for term in factors}
    rest = (gradients["l1"] + gradients["edge"]).numpy()
    norms = [np.linalg.norm(each) for each in (found["adversarial"], found["style"], rest)]
    np.testing.assert_allclose(np.array(norms) / sum(norms), [0.3, 0.2, 0.5], rtol=1e-12)


def test_a_share_of_one_half_is_the_weight_of_vqgan() -> None:
    gradients = random_gradients(reconstruction=3.0, adversarial=0.02)
    (factor,) = Balance({"adversarial": 0.5}).factors(gradients, grown={}).values()
    norms = norms_of(gradients)
    assert factor.item() == pytest.approx(norms["reconstruction"] / norms["adversarial"], rel=1e-12)


def test_factors_are_limited() -> None:
    gradients = random_gradients(l1=1.0, adversarial=1e-9)
    assert Balance({"adversarial": 0.3}).factors(gradients, grown={})["adversarial"].item() == 1e4


def test_a_term_without_a_gradient_is_left_alone_and_its_share_is_nobodys() -> None:
    gradients = random_gradients(l1=1.0, edge=5.0, adversarial=0.0)
    factors = Balance({"adversarial": 0.3, "edge": 0.2}).factors(gradients, grown={})
    assert factors["adversarial"].item() == 1
    norms = norms_of(gradients)
    assert factors["edge"].item() * norms["edge"] / norms["l1"] == pytest.approx(0.2 / 0.8, rel=1e-12)
    nothing = Balance({"edge": 0.2}).factors(random_gradients(l1=0.0, edge=5.0), grown={})
    assert nothing["edge"].item() == 1


def test_a_share_grows_with_its_ramp() -> None:
    gradients = random_gradients(l1=1.0, adversarial=0.1)
    (factor,) = Balance({"adversarial": 0.4}).factors(gradients, grown={"adversarial": 0.25}).values()
    norms = norms_of(gradients)
    assert factor.item() * norms["adversarial"] / norms["l1"] == pytest.approx(0.1 / 0.9, rel=1e-12)


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({}, "names no term"),
        ({"edge": 0.0}, r"model\.balance\.edge=0.0 must be a share above 0 and below 1"),
        ({"edge": 1.0}, r"model\.balance\.edge=1.0 must be"),
        ({"edge": "much"}, r"model\.balance\.edge=much must be"),
        ({"edge": float("nan")}, r"model\.balance\.edge=nan must be"),
        ({"edge": 0.5, "adversarial": 0.5}, "edge, adversarial are 1 in all, which must be below 1"),
        ({"perceptual": 0.2}, "perceptual is no term; the terms are l1, edge, adversarial"),
        ({"l1": 0.1, "edge": 0.1, "adversarial": 0.1}, "names all terms .*leave one out"),
    ],
)
def test_what_cannot_be_kept_is_refused(shares: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make(content_loss=content(), balance=shares).configure_optimizers()


def test_without_a_discriminator_there_is_no_adversarial_term() -> None:
    with pytest.raises(ValueError, match="adversarial is no term; the terms are l1, edge"):
        make(PSNRModule, content_loss=content(), balance={"adversarial": 0.2}).configure_optimizers()


def test_terms_of_a_loss_that_does_not_tell_them_are_checked_with_the_first_batch() -> None:
    def own(sr: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"own": (sr - target).abs().mean()}

    with pytest.raises(ValueError, match="edge is no term; the terms are own, adversarial"):
        one_pass(make(content_loss=own, balance={"edge": 0.2}))


def one_pass(module: SRModule, *, iteration: int = 0, measured: bool = True) -> StepValues:
    module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
    item = Pairs(2)
    return module.backward_pass(
        small_part(item.lr, item.hr), iteration=iteration, share=1.0, measured=measured
    )


@pytest.mark.parametrize("measured", [False, True])
def test_the_gan_minimises_what_it_logs(measured: bool) -> None:
    """The gradient of G is that of the terms times constant factors, by usual differentiation through G and D."""
    balance = {"adversarial": 0.3, "edge": 0.2}
    raw = one_pass(make(content_loss=content()))
    module = make(content_loss=content(), balance=balance)
    values = one_pass(module, measured=measured)
    assert values.factors.keys() == balance.keys()
    for term, value in raw.terms.items():
        factor = values.factors.get(term, torch.ones(()))
        assert values.terms[term].item() == pytest.approx((factor * value).item(), rel=1e-5)
    assert values.losses.generator.item() == pytest.approx(sum(map(float, values.terms.values())), rel=1e-6)
    assert {f"balance_{term}" for term in balance} <= values.training().keys()
    if measured:
        assert values.health["share_adversarial"].item() == pytest.approx(0.3, rel=1e-4)
        assert values.health["share_edge"].item() == pytest.approx(0.2, rel=1e-4)
    found = [each.grad.clone() for each in module.generator.parameters()]

    plain, item = make(content_loss=content()), Pairs(2)
    sr = plain.generator(item.lr)
    terms = plain.content_loss(sr, item.hr)
    real, fake = plain.discriminator(torch.cat([item.hr, sr])).chunk(2)
    terms["adversarial"] = 0.1 * plain.gan_loss.generator(real=real.detach(), fake=fake)
    loss = sum(values.factors.get(term, 1.0) * value for term, value in terms.items())
    expected = torch.autograd.grad(loss, [*plain.generator.parameters()])
    for mine, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-3, atol=1e-5 * float(wanted.abs().max()) + 1e-9)


def test_psnr_keeps_shares_too() -> None:
    module = make(PSNRModule, content_loss=content(mse=2.0), balance={"edge": 0.6})
    values = one_pass(module)
    loss, item = content(mse=2.0), Pairs(2)
    terms = loss(module.generator(item.lr), item.hr)
    weight = module.generator.conv_last.weight
    norms = [
        torch.autograd.grad(each, weight, retain_graph=True)[0].norm().item()
        for each in (terms["l1"] + terms["mse"], values.factors["edge"] * terms["edge"])
    ]
    assert norms[1] / sum(norms) == pytest.approx(0.6, rel=1e-4)
    assert values.terms["edge"].item() == pytest.approx((values.factors["edge"] * terms["edge"]).item())
    combined = terms["l1"] + terms["mse"] + values.factors["edge"] * terms["edge"]
    for each, wanted in zip(
        module.generator.parameters(),
        torch.autograd.grad(combined, [*module.generator.parameters()]),
        strict=True,
    ):
        torch.testing.assert_close(each.grad, wanted, rtol=1e-4, atol=1e-7)


def test_while_the_discriminator_idles_the_adversarial_term_has_no_share() -> None:
    module = make(
        content_loss=content(),
        balance={"adversarial": 0.5, "edge": 0.2},
        ramp=AdversarialRamp(generator_only=1, ramp=1),
    )
    pixel, ramping, whole = (one_pass(module, iteration=each).health for each in (0, 1, 2))
    assert pixel["share_edge"].item() == pytest.approx(0.2, rel=1e-4)
    assert pixel["share_l1"].item() == pytest.approx(0.8, rel=1e-4)
    assert "share_adversarial" not in pixel
    assert ramping["share_adversarial"].item() == pytest.approx(0.25, rel=1e-4)  # half of the ramp
    assert whole["share_adversarial"].item() == pytest.approx(0.5, rel=1e-4)
    assert whole["share_edge"].item() == pytest.approx(0.2, rel=1e-4)


def test_a_first_stage_has_its_own_losses_with_their_weights() -> None:
    plain = make()
    first = FirstStage(content_loss=content(), optimizer_g=plain.optimizer_g, scheduler_g=plain.scheduler_g)
    module = make(
        content_loss=content(),
        first_stage=first,
        balance={"edge": 0.2},
        ramp=AdversarialRamp(generator_only=1),
    )
    assert not one_pass(module, iteration=0).factors
    assert one_pass(module, iteration=1).factors.keys() == {"edge"}


@pytest.mark.parametrize("ramp", [AdversarialRamp(), AdversarialRamp(generator_only=99)])
def test_factors_that_are_one_change_nothing(ramp: AdversarialRamp) -> None:
    """A named term without weight has no gradient, so all that is left is the iteration without balance."""
    module, plain = (
        make(content_loss=content(edge=0.0), balance=balance, ramp=ramp) for balance in ({"edge": 0.2}, None)
    )
    values, expected = one_pass(module), one_pass(plain)
    assert values.factors["edge"].item() == 1
    assert values.losses.generator.item() == pytest.approx(expected.losses.generator.item(), rel=1e-6)
    for mine, wanted in zip(module.generator.parameters(), plain.generator.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, wanted.grad, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(
    ("kind", "balance"), [(PSNRModule, {"edge": 0.4}), (GANModule, {"edge": 0.4, "adversarial": 0.1})]
)
def test_a_run_logs_factors_and_shares(
    tmp_path: Path, kind: type[SRModule], balance: dict[str, float]
) -> None:
    module, plain = (make(kind, content_loss=content(), balance=each) for each in (balance, None))
    trainer = fit(module, tmp_path, steps=2, data=Pairs(2 * BATCH))
    fit(plain, tmp_path, steps=2, data=Pairs(2 * BATCH))
    logged = {key: float(value) for key, value in trainer.callback_metrics.items()}
    for term, share in balance.items():
        assert logged[f"train/balance_{term}"] > 0
        assert logged[f"health/share_{term}"] == pytest.approx(share, rel=1e-3)
    assert not torch.equal(weights(module.generator), weights(plain.generator))


def test_a_net_without_a_last_weight_is_refused() -> None:
    module = make(
        PSNRModule, generator=torch.nn.Upsample(scale_factor=4), content_loss=content(), balance={"edge": 0.2}
    )
    item = Pairs(1)
    with pytest.raises(ValueError, match="Upsample has no last weight that trains"):
        weighed(
            module.balance,
            module.generator,
            scales=GradientScales(),
            sr=item.hr,
            pushes={"l1": item.hr, "edge": item.hr},
            measured=False,
        )


def test_processes_agree_on_the_factors(tmp_path: Path) -> None:
    """On the mean of their norms: |1| and |3| of l1, |8| and |2| of the adversarial term."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT}/tests", "OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        commands = [[sys.executable, __file__, str(rank), str(tmp_path)] for rank in (0, 1)]
        processes = [stack.enter_context(running(command, env=environment)) for command in commands]
        done = [finished(process) for process in processes]
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    found = [torch.load(tmp_path / f"rank{rank}.pt").item() for rank in (0, 1)]
    assert found == pytest.approx([0.2 / 0.8 * 2 / 5] * 2)


def one_of_two_processes(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo", init_method=(folder / "store").as_uri(), rank=rank, world_size=2)
    gradients = {"l1": torch.tensor([1.0, 3.0][rank]), "adversarial": torch.tensor([8.0, 2.0][rank])}
    factors = Balance({"adversarial": 0.2}).factors(gradients, grown={})
    torch.save(factors["adversarial"], folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    one_of_two_processes(int(sys.argv[1]), Path(sys.argv[2]))
