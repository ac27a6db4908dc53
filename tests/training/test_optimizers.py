"""The optimizers of other libraries: each trains, and knows its own arguments."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from helpers import equal
from optimizer_options import OPTIONS, option
from small_training import BATCH, Pairs, fit, make, weights
from torch import nn
from torch.nn.functional import mse_loss
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR
from torch.utils.data import Subset

from sr.training.optimization import Optimization
from sr.training.optimizers import adan, lion, muon, prodigy, schedule_free, soap
from sr.training.parameter_groups import NetParameters
from sr.training.psnr import PSNRModule
from sr.training.trained import learning_rate

# Rates for 200 steps from a random start; those of the options are for hundreds of thousands.
RATES = {"lion": 1e-3, "prodigy": 1.0}
LIBRARY = ("adan", "lion", "muon", "prodigy", "schedule_free", "soap")


def conv(inputs: int, outputs: int) -> nn.Module:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


@pytest.mark.parametrize("name", OPTIONS)
def test_it_trains_a_small_net(name: str) -> None:
    """A tenth of the first loss or less; 1 would be a net that has not moved."""
    torch.manual_seed(0)
    student, teacher = nn.Sequential(conv(3, 8), nn.PReLU(8), conv(8, 8), conv(8, 3)), conv(3, 3)
    image = torch.rand(4, 3, 12, 12)
    target = teacher(image).detach()
    optimizer = option(name, lr=RATES.get(name, 5e-3))(NetParameters(student))
    losses = []
    for _ in range(200):
        optimizer.zero_grad()
        loss = mse_loss(student(image), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("name", OPTIONS)
def test_its_state_goes_on_from_a_file_in_the_same_bits(name: str, tmp_path: Path) -> None:
    """Of G and of D, where what is saved is what is there between two iterations."""
    images = Pairs(3 * BATCH)

    class Load(L.Callback):
        def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            saved = torch.load(tmp_path / "half.pt", weights_only=True)
            pl_module.load_state_dict(saved["weights"])
            for optimizer, state in zip(trainer.optimizers, saved["states"], strict=True):
                optimizer.load_state_dict(state)

    def trained(first: int, last: int, **settings: Any) -> dict[str, Any]:
        module = make(
            optimizer_g=option(name), optimizer_d=option(name), optimization=Optimization(ema_decay=0.0)
        )
        part = Subset(images, range(first * BATCH, last * BATCH))
        trainer = fit(module, tmp_path, steps=last - first, data=part, **settings)
        states = [optimizer.state_dict() for optimizer in trainer.optimizers]
        return {"weights": dict(module.state_dict()), "states": states}

    expected = trained(0, 3)
    torch.save(trained(0, 2), tmp_path / "half.pt")
    assert equal(trained(2, 3, callbacks=[Load()]), expected)


@pytest.mark.parametrize("name", OPTIONS)
def test_it_trains_both_nets_in_bf16(name: str, tmp_path: Path) -> None:
    module = make(optimizer_g=option(name), optimizer_d=option(name))
    starts = {net: weights(net).clone() for net in (module.generator, module.discriminator)}
    fit(module, tmp_path, steps=3, precision="bf16-mixed")
    for net, start in starts.items():
        assert 0 < (weights(net) - start).abs().max() < 0.1


def test_muon_is_torch_s_own_where_that_takes_the_weight() -> None:
    """To the rounding of bfloat16, in which both look for the singular values."""
    torch.manual_seed(0)
    ours, theirs = nn.Parameter(torch.randn(6, 20)), nn.Parameter(torch.zeros(6, 20))
    theirs.data.copy_(ours.data)
    rule = {"all": {"kinds": ["hidden"], "use_muon": True}}
    one = muon([ours], lr=0.1, momentum=0.9, betas=(0.9, 0.99), weight_decay=0.1, rules=rule)
    other = torch.optim.Muon([theirs], lr=0.1, momentum=0.9, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    start = ours.detach().clone()
    for _ in range(5):
        gradient = torch.randn(6, 20)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        one.step()
        other.step()
    assert (ours - start).abs().mean() > 0.05
    torch.testing.assert_close(ours, theirs, atol=5e-3, rtol=0)


def test_muon_takes_hidden_kernels_and_adamw_the_rest() -> None:
    net = nn.Sequential(conv(3, 8), nn.GroupNorm(2, 8), conv(8, 8), nn.PReLU(8), conv(8, 3))
    groups = option("muon")(NetParameters(net)).param_groups
    (hidden,) = [group for group in groups if group["use_muon"]]
    assert [tuple(each.shape) for each in hidden["params"]] == [(8, 8, 3, 3)]
    assert hidden["weight_decay"] == 0.01
    others = [group for group in groups if not group["use_muon"]]
    rest = [(tuple(each.shape), group["weight_decay"]) for group in others for each in group["params"]]
    assert ((8, 3, 3, 3), 0.01) in rest
    assert ((3, 8, 3, 3), 0.01) in rest
    assert rest.count(((8,), 0.0)) == 5
    with pytest.raises(
        ValueError, match=r"use_muon=true for a parameter of shape \(8,\), but Muon is for matrices"
    ):
        option("muon", rules={"muon": {"names": ["0.*"], "use_muon": True}})(NetParameters(net))


def test_the_rate_of_prodigy_is_the_one_that_it_found() -> None:
    weight = nn.Parameter(torch.ones(1))
    optimizer = option("prodigy")([weight])
    for _ in range(50):
        weight.grad = weight.detach().clone()
        optimizer.step()
    assert learning_rate(optimizer) == optimizer.param_groups[0]["d"] > 1e-3
    assert learning_rate(torch.optim.SGD([weight], lr=0.5)) == 0.5


@pytest.mark.parametrize("name", LIBRARY)
def test_without_the_library_it_is_said_what_to_type(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    with pytest.raises(
        ValueError, match=r"needs pytorch_optimizer: pip install 'sr-lightning\[optimizers\]'"
    ):
        option(name)([nn.Parameter(torch.zeros(1))])


def test_rules_for_an_optimizer_of_torch_need_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_optimizer", None)
    make(optimizer_g=option("adamw_groups")).configure_optimizers()


@pytest.mark.parametrize("factory", [adan, lion, muon, soap, prodigy, schedule_free])
def test_a_rate_that_moves_nothing_is_refused(factory: Any) -> None:
    with pytest.raises(ValueError, match=r"lr=0 must be positive"):
        factory(
            [nn.Parameter(torch.zeros(1))],
            lr=0,
            betas=(0.9, 0.99),
            **{"momentum": 0.9} if factory is muon else {},
        )


def test_a_typo_is_no_default() -> None:
    with pytest.raises(TypeError, match="weight_decy"):
        option("lion", weight_decy=0.1)([nn.Parameter(torch.zeros(1))])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"optimizer_g": option("prodigy", lr=2e-4)},
            r"^optimizer_g: lr=0\.0002 must be from 0\.1 to 10 for prodigy.*d_coef",
        ),
        (
            {"optimizer_g": option("prodigy", rules={"end": {"kinds": ["end"], "lr": 0.5}})},
            r"^optimizer_g: rules\.end\.lr: choose from kinds, names, weight_decay$",
        ),
        (
            {
                "optimizer_g": option("schedule_free"),
                "scheduler_g": partial(CosineAnnealingLR, T_max=9),
            },
            r"^scheduler_g=CosineAnnealingLR: ScheduleFreeAdamW averages.*write scheduler@scheduler_g=constant$",
        ),
        (
            {
                "optimizer_g": option("schedule_free"),
                "scheduler_g": partial(ConstantLR, factor=0.5, total_iters=9),
            },
            "^scheduler_g=ConstantLR: ",
        ),
        (
            {
                "optimizer_g": option("schedule_free"),
                "generator": nn.Sequential(conv(3, 3), nn.BatchNorm2d(3)),
            },
            r"^optimizer_g: ScheduleFreeAdamW does not suit Sequential, which has batch norm",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_training(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(PSNRModule, **changes).configure_optimizers()
