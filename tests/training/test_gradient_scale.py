"""fp16: a gradient scale for each net, and what an overflow costs."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from helpers import equal, run_program
from optimizer_options import option
from processes import ROOT
from small_training import BATCH, Pairs, fit, make, small_part, weights
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR

from sr.losses.feature_matching import FeatureMatchingLoss
from sr.losses.gradient_penalty import GradientPenalty
from sr.training import gradient_scale
from sr.training.base import SRModule
from sr.training.consensus import Consensus, Reading
from sr.training.gan import FirstStage, GANModule
from sr.training.gradient_scale import INTERVAL, SMALLEST, START, GradientScale, GradientScales
from sr.training.optimization import Optimization
from sr.training.precision import HalfPrecision
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

CPU = torch.device("cpu")
YES, NO = torch.tensor(1.0), torch.tensor(0.0)
LETTERS = {PSNRModule: ("g",), GANModule: ("g", "d")}


def fit_half(module: SRModule, tmp_path: Path, **settings: Any) -> L.Trainer:
    return fit(module, tmp_path, plugins=[HalfPrecision(device="cpu")], **settings)


class Overflow(L.Callback):
    """The gradient of a net's first parameter is infinite in these iterations, counted from 0."""

    def __init__(self, **iterations: range) -> None:
        self.iterations = {
            {"g": "generator", "d": "discriminator"}[net]: at for net, at in iterations.items()
        }
        self.seen: list[dict[str, Any]] = []

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for name, at in self.iterations.items():
            parameter = next(getattr(pl_module, name).parameters())
            parameter.register_hook(
                lambda grad, at=at: grad * torch.inf if trainer.global_step in at else None
            )

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        nets = {"g": pl_module.generator, "d": pl_module.discriminator}
        scales = {net: float(scale) for net, scale in pl_module.scales.values().items()}
        self.seen.append({"scales": scales} | {net: weights(of).clone() for net, of in nets.items()})


# The scale of one net


def test_it_halves_at_an_overflow_and_doubles_after_many_updates() -> None:
    scale = GradientScale(CPU)
    scale.learn(good=YES, steps=NO)
    assert (scale.value.item(), scale.updates.item()) == (START / 2, 0)
    for _ in range(INTERVAL - 1):
        scale.learn(good=YES, steps=YES)
    assert (scale.value.item(), scale.updates.item()) == (START / 2, INTERVAL - 1)
    scale.learn(good=YES, steps=YES)
    assert (scale.value.item(), scale.updates.item()) == (START, 0)


def test_a_bad_iteration_is_as_if_it_had_not_been() -> None:
    scale = GradientScale(CPU)
    for good, steps in ((YES, YES), (NO, NO), (YES, YES)):
        scale.learn(good=good, steps=steps)
    assert (scale.value.item(), scale.updates.item()) == (START, 2)


def test_it_stays_within_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradient_scale, "INTERVAL", 1)
    scale = GradientScale(CPU)
    for _ in range(40):
        scale.learn(good=YES, steps=YES)
    assert scale.value.item() == gradient_scale.LARGEST
    for _ in range(40):
        scale.learn(good=YES, steps=NO)
    assert scale.value.item() == SMALLEST


def test_without_scales_nothing_is_touched() -> None:
    scales, loss, net = GradientScales(), torch.tensor(0.1), nn.Linear(1, 1)
    net.weight.grad = gradient = torch.tensor([[0.3]])
    scales.unscale("g", net)
    assert scales.scaled("g", loss) is loss
    assert scales.unscaled("g", loss) is loss
    assert net.weight.grad is gradient
    assert gradient.item() == pytest.approx(0.3)
    assert scales.can_fall(["g"]) == []


def test_an_overflow_is_no_number_of_a_log() -> None:
    scales = GradientScales()
    scales.begin("g", device=CPU)
    assert scales.unscaled("g", torch.tensor(2 * START)) == 2
    assert scales.unscaled("g", torch.tensor(torch.inf)).isnan()


# Gradients


EVERYTHING: dict[str, Any] = {
    "balance": {"adversarial": 0.3},
    "gan_penalty": GradientPenalty(real=10, fake=10),
    "feature_matching": FeatureMatchingLoss(weight=0.1),
}


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        pytest.param(PSNRModule, {}, id="PSNR"),
        pytest.param(GANModule, {}, id="GAN"),
        pytest.param(GANModule, EVERYTHING, id="all that a GAN can have"),
    ],
)
def test_scaled_and_divided_gradients_are_those_without_a_scale(
    kind: type[SRModule], more: dict[str, Any]
) -> None:
    """To the bit in fp32, since scales are powers of two; so are all numbers of the iteration."""
    found = []
    for scaled in ((), LETTERS[kind]):
        module = make(kind, **more)
        module.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign]
        module.scales.begin(scaled, device=CPU)
        data = Pairs(BATCH)
        values = module.backward_pass(
            small_part(data.lr, data.hr), iteration=0, share=0.5, measured=kind is GANModule
        )
        nets = {"g": module.generator, "d": getattr(module, "discriminator", None)}
        for letter in LETTERS[kind]:
            module.scales.unscale(letter, nets[letter])
        gradients = [each.grad for each in module.parameters() if each.grad is not None]
        found.append((torch.cat([each.flatten() for each in gradients]), values))
    (plain, values), (divided, others) = found
    assert plain.abs().max() > 0
    assert torch.equal(plain, divided)
    for group in ("terms", "logits", "health", "factors", "penalties"):
        assert getattr(values, group) == getattr(others, group), group
    assert bool(values.factors) == bool(values.penalties) == bool(more)
    assert values.losses == others.losses


def test_a_gradient_below_the_smallest_number_of_fp16_arrives(tmp_path: Path) -> None:
    class Faint(nn.Module):
        def forward(self, sr: Tensor, target: Tensor) -> dict[str, Tensor]:
            return {"l1": 1e-5 * (sr - target).abs().mean()}

    def moved(train: Any, *, scaled: bool = True) -> Tensor:
        optimizer = partial(torch.optim.SGD, lr=1e5)
        module = make(PSNRModule, content_loss=Faint(), optimizer_g=optimizer)
        start = weights(module.generator).clone()
        if not scaled:
            module.scales.begin = lambda nets, device: None  # type: ignore[method-assign]
        train(module, tmp_path, steps=1)
        return weights(module.generator) - start

    expected = moved(fit)
    assert expected.norm() > 0
    assert (moved(fit_half) - expected).norm() < 0.05 * expected.norm()
    assert not moved(fit_half, scaled=False).any()


# Training


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_it_trains_in_fp16_as_in_fp32(tmp_path: Path, kind: type[SRModule], accumulate: int) -> None:
    half, full = (
        make(kind, optimization=Optimization(accumulate=accumulate, gradient_clip=0.1)) for _ in range(2)
    )
    start = weights(half.generator).clone()
    seen = set()
    handle = half.generator.conv_first.register_forward_hook(lambda *args: seen.add(args[-1].dtype))
    trainer = fit_half(half, tmp_path, steps=3)
    handle.remove()
    fit(full, tmp_path, steps=3)
    assert seen == {torch.float16}
    assert trainer.global_step == 3
    assert half.consensus.bad_in_all == 0
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    for letter in LETTERS[kind]:
        assert trainer.callback_metrics[f"train/scale_{letter}"] == START
    ours, theirs = (weights(each.generator) - start for each in (half, full))
    assert torch.cosine_similarity(ours, theirs, dim=0) > 0.9


@pytest.mark.parametrize(("net", "other"), [("g", "d"), ("d", "g")])
@pytest.mark.parametrize("optimizer", ["adam", "schedule_free"])
def test_an_overflow_costs_one_net_one_update_and_the_other_none(
    tmp_path: Path, net: str, other: str, optimizer: str
) -> None:
    optimizers = {f"optimizer_{each}": option(optimizer) for each in "gd"}
    seen, undisturbed = Overflow(**{net: range(1, 2)}), Overflow()
    for watch in (seen, undisturbed):
        module = make(**optimizers)
        trainer = fit_half(module, tmp_path, steps=2, data=Pairs(BATCH * 2), callbacks=[watch])
        assert module.consensus.bad_in_all == 0
        assert trainer.global_step == 2
    (before, after), (_, expected) = seen.seen, undisturbed.seen
    assert torch.equal(after[net], before[net])
    assert not torch.equal(expected[net], before[net])
    assert torch.equal(after[other], expected[other])
    assert after["scales"] == {net: START / 2, other: START}


@pytest.mark.parametrize("on_device", [False, True])
def test_no_state_of_an_optimizer_knows_of_an_overflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_device: bool
) -> None:
    """Neither where the host knows of it before the step, nor where the device alone does, as on a GPU."""
    monkeypatch.setattr("sr.training.base.skips_on_device", lambda optimizers, device: on_device)
    monkeypatch.setattr(Reading, "on_its_way", lambda self: self)
    fused = {f"optimizer_{net}": partial(torch.optim.Adam, lr=1e-3, fused=True) for net in "gd"}
    states, moved = [], []
    for watch, steps in ((Overflow(d=range(1, 2)), 2), (Overflow(), 1)):
        module = make(**fused)
        trainer = fit_half(module, tmp_path, steps=steps, data=Pairs(BATCH * 2), callbacks=[watch])
        states.append(trainer.optimizers[1].state_dict())
        moved.append(weights(module.generator))
        assert float(module.scales.values()["d"]) == (START / 2 if watch.iterations else START)
    assert equal(*states)
    assert not torch.equal(*moved)


def test_an_overflow_without_a_scale_left_to_try_is_a_bad_iteration(tmp_path: Path) -> None:
    """So many in a row stop the run, as in every precision."""
    watch = Overflow(g=range(20))
    module = make()
    start = {net: weights(of).clone() for net, of in (("g", module.generator), ("d", module.discriminator))}
    fit_half(module, tmp_path, steps=19, data=Pairs(BATCH * 19), callbacks=[watch])
    assert [each["scales"]["g"] for each in watch.seen] == [2.0**power for power in range(15, -1, -1)] + [
        1.0
    ] * 3
    assert module.consensus.bad_in_a_row == 3
    assert module.consensus.bad is not None
    assert module.consensus.bad.where() == "in a gradient"
    assert torch.equal(weights(module.generator), start["g"])
    assert torch.equal(watch.seen[15]["d"], watch.seen[18]["d"])  # a bad iteration is one for both
    assert not torch.equal(watch.seen[14]["d"], watch.seen[15]["d"])


def test_a_loss_that_is_not_finite_is_a_bad_iteration_and_no_overflow(tmp_path: Path) -> None:
    module = make()
    fit_half(module, tmp_path, steps=2, data=Pairs(BATCH * 2, poison=1))
    assert module.consensus.bad_in_all == 1
    assert {float(scale) for scale in module.scales.values().values()} == {START}


def test_both_optimizers_of_the_generator_have_its_scale(tmp_path: Path) -> None:
    first = FirstStage(
        content_loss=make().content_loss,
        optimizer_g=partial(torch.optim.Adam, lr=1e-3),
        scheduler_g=partial(ConstantLR, factor=1.0, total_iters=0),
    )
    watch = Overflow(g=range(1))
    module = make(first_stage=first, ramp=AdversarialRamp(generator_only=1))
    fit_half(module, tmp_path, steps=2, callbacks=[watch])
    assert [each["scales"] for each in watch.seen] == [{"g": START / 2, "d": START}] * 2
    assert not torch.equal(watch.seen[0]["g"], watch.seen[1]["g"])


def test_lightning_s_own_scaler_is_refused(tmp_path: Path) -> None:
    plugin = HalfPrecision(device="cpu")
    plugin.scaler = torch.amp.GradScaler(device="cpu")
    with pytest.raises(
        ValueError, match=r"HalfPrecision has one gradient scaler for G and D.*HalfPrecision\("
    ):
        fit(make(), tmp_path, steps=1, plugins=[plugin])


def test_other_precisions_have_no_scale_nor_a_number_of_it(tmp_path: Path) -> None:
    trainer = fit(make(), tmp_path, steps=1)
    assert trainer.lightning_module.scales.state_dict() == {}
    assert not [key for key in trainer.callback_metrics if "scale" in key]


# What processes agree on, and what is saved


def test_what_is_excused_makes_no_iteration_bad_and_withholds_its_own_step() -> None:
    gradients = [torch.tensor(torch.inf), torch.tensor(1.0)]
    ask = partial(
        Consensus().ask, iteration=1, losses={"loss": YES}, gradients=gradients, batch={}, wait=True
    )
    excused = ask(excused=[YES, NO])
    assert (excused.good, *excused.steps) == (1, 0, 1)
    for verdict in (ask(excused=[NO, YES]), ask()):
        assert (verdict.good, *verdict.steps) == (0, 0, 0)


def test_scales_go_on_with_a_checkpoint_and_end_with_another_precision(tmp_path: Path) -> None:
    module = make()
    trainer = fit_half(module, tmp_path, steps=2, callbacks=[Overflow(d=range(1))])
    trainer.save_checkpoint(tmp_path / "half.ckpt")
    saved = torch.load(tmp_path / "half.ckpt", weights_only=True)["training"]
    assert {net: float(each["value"]) for net, each in saved["scales"].items()} == {
        "g": START,
        "d": START / 2,
    }
    trainer.lightning_module.scales = GradientScales()
    module.restore_scales(saved)
    assert {net: int(each["updates"]) for net, each in module.scales.state_dict().items()} == {"g": 2, "d": 1}
    other = make()
    fit(other, tmp_path, steps=1)
    other.restore_scales(saved)
    assert other.scales.values() == {}


PROGRAM = """
import os
import sys
from pathlib import Path
sys.path[:0] = [{root!r}, {root!r} + "/tests"]
import torch
torch.set_num_threads(1)
import small_training as t
from sr.training.precision import HalfPrecision

if __name__ == "__main__":
    out, rank = Path({out!r}), int(os.environ.get("LOCAL_RANK", 0))
    module = t.make()
    if rank == 1:
        parameter = next(module.discriminator.parameters())
        parameter.register_hook(lambda grad: grad * (torch.inf if module.global_step == 1 else 1))
    data = torch.utils.data.Subset(t.Pairs(24), range(rank, 24, 2))
    settings = dict(use_distributed_sampler=False, strategy="ddp", devices=2)
    trainer = t.fit(module, out, steps=3, data=data, plugins=[HalfPrecision(device="cpu")], **settings)
    assert module.consensus.bad_in_all == 0
    saved = {{"state": module.state_dict(), "scales": module.scales.values()}}
    torch.save(saved, out / f"process-{{rank}}.pt")
"""


@pytest.mark.slow
def test_an_overflow_on_one_process_is_one_on_all(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(root=str(ROOT), out=str(tmp_path)))
    done = run_program(str(tmp_path / "program.py"))
    assert done.returncode == 0, done.stderr
    one, other = (torch.load(tmp_path / f"process-{rank}.pt") for rank in range(2))
    assert {net: float(scale) for net, scale in one["scales"].items()} == {"g": START, "d": START / 2}
    assert one["scales"] == other["scales"]
    for key, value in one["state"].items():
        assert torch.equal(value, other["state"][key]), key
        assert value.isfinite().all(), key
