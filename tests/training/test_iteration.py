"""The iteration of every module: how it is counted, cut into parts and clipped, and what it draws."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import BATCH, Pairs, fit, make, weights
from torch import nn

from sr.archs.unet_disc import UNetDiscriminator
from sr.losses.gan import VanillaGANLoss
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_one_iteration_is_one_generator_update(tmp_path: Path, kind: type[SRModule]) -> None:
    trainer = fit(make(kind), tmp_path, steps=7, data=Pairs(BATCH * 20))
    assert trainer.global_step == 7
    assert trainer.fit_loop.epoch_loop._batches_that_stepped == 7  # the x-axis of the loggers


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
@pytest.mark.parametrize("target", [False, True])
def test_accumulation_changes_memory_and_nothing_else(
    tmp_path: Path, kind: type[SRModule], target: bool
) -> None:
    # Each half of a batch has its own relativistic mean, so compare with an objective that has none.
    changes = {"gan_loss": VanillaGANLoss()} if kind is GANModule else {}
    whole, parts = make(kind, **changes), make(kind, optimization=Optimization(accumulate=2), **changes)
    data = Pairs(BATCH * 3, target=target)
    for module in (whole, parts):
        assert fit(module, tmp_path, steps=3, data=data).global_step == 3
    torch.testing.assert_close(weights(parts.generator), weights(whole.generator), atol=2e-6, rtol=0)
    with pytest.raises(
        ValueError, match=r"data\.batch_size=4 must be a multiple of model\.optimization\.accumulate=3"
    ):
        fit(make(kind, optimization=Optimization(accumulate=3)), tmp_path, steps=1)


def test_gradient_clipping_bounds_each_net(tmp_path: Path) -> None:
    module = make(
        optimization=Optimization(gradient_clip=1e-3),
        optimizer_g=partial(torch.optim.SGD, lr=1.0),
        optimizer_d=partial(torch.optim.SGD, lr=1.0),
    )
    starts = {net: weights(net).clone() for net in (module.generator, module.discriminator)}
    fit(module, tmp_path, steps=1)
    for net, start in starts.items():
        assert (weights(net) - start).norm().item() == pytest.approx(1e-3, rel=1e-2)


def test_bf16_trains_with_finite_gradients_of_every_layer(tmp_path: Path) -> None:
    module = make(discriminator=UNetDiscriminator(num_feat=4))
    starts = {
        net: [p.detach().clone() for p in net.parameters()]
        for net in (module.generator, module.discriminator)
    }
    fit(module, tmp_path, steps=2, precision="bf16-mixed")
    for net, start in starts.items():
        for (name, parameter), before in zip(net.named_parameters(), start, strict=True):
            assert parameter.dtype == torch.float32
            assert not torch.equal(parameter, before), name


def test_optimizers_compute_without_autocast(tmp_path: Path) -> None:
    """Lightning has it on during `training_step`, and products of matrices would be rounded to bf16 there."""
    found = []

    class Adam(torch.optim.Adam):
        def step(self, *arguments: Any, **named: Any) -> Any:
            found.append(torch.is_autocast_enabled("cpu"))
            return super().step(*arguments, **named)

    module = make(optimizer_g=partial(Adam, lr=1e-3), optimizer_d=partial(Adam, lr=1e-3))
    fit(module, tmp_path, steps=2, precision="bf16-mixed")
    assert found == [False] * 4


def test_other_precisions_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"trainer\.precision=bf16-true: choose one of 32-true, bf16-mixed, 16-mixed"
    ):
        fit(make(PSNRModule), tmp_path, steps=1, precision="bf16-true")


def test_what_a_net_draws_follows_from_seed_and_iteration_alone(tmp_path: Path) -> None:
    """So that a resumed run draws what an uninterrupted one would."""
    found = []
    for seed, disturbed in ((0, 1), (0, 2), (1, 1)):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Dropout(0.5), nn.Upsample(scale_factor=4))
        module = make(PSNRModule, generator=net, seed=seed)
        torch.manual_seed(disturbed)
        fit(module, tmp_path, steps=3)
        found.append(weights(module.generator))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_an_unknown_monitor_is_named() -> None:
    with pytest.raises(
        ValueError, match="monitor=psnr: choose one of psnr_y, ssim_y, psnr_rgb, ssim_rgb, mse"
    ):
        make(PSNRModule, monitor="psnr")


def test_what_trains_is_compiled_and_the_average_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    module = make()
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    names = set(module.state_dict())
    # And back afterwards; pytest's monkeypatch would take the setting away instead.
    with torch._functorch.config.patch(donated_buffer=True):
        module.compile_nets()
        assert not torch._functorch.config.donated_buffer
    assert compiled == [module.generator, module.discriminator, module.content_loss]
    assert set(module.state_dict()) == names
