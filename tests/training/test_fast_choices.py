"""What makes an iteration fast changes its results by no more than rounding."""

from functools import partial
from typing import Any

import pytest
import torch
from helpers import compose_config
from hydra.utils import instantiate
from small_training import small_part
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR

from sr.archs.rrdbnet import RRDBNet
from sr.archs.unet_disc import UNetDiscriminator
from sr.losses.gan import RelativisticAverageGANLoss, VanillaGANLoss
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.metrics.protocol import Protocol
from sr.training.gan import GANModule
from sr.training.optimization import Optimization
from sr.training.schedule import AdversarialRamp


def module(memory: str = "lean") -> GANModule:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    constant = partial(ConstantLR, factor=1.0, total_iters=0)
    made = GANModule(
        generator=RRDBNet(num_feat=8, num_block=2, num_grow_ch=4, memory=memory),  # type: ignore[arg-type]
        discriminator=UNetDiscriminator(num_feat=8),
        content_loss=WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss())}),
        gan_loss=RelativisticAverageGANLoss(base=VanillaGANLoss()),
        gan_weight=0.1,
        ramp=AdversarialRamp(),
        optimizer_g=adam,
        optimizer_d=adam,
        scheduler_g=constant,
        scheduler_d=constant,
        metric=Protocol(crop_border=4),
        optimization=Optimization(),
    )
    # An image and not black, so that the signs in L1's gradient are no matter of rounding.
    nn.init.constant_(made.generator.conv_last.bias, 0.5)
    made.manual_backward = lambda loss: loss.backward()  # type: ignore[method-assign, assignment]
    return made


def gradients(made: GANModule, *, bf16: bool = False) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    lr, hr = (torch.rand(2, 3, side, side, generator=generator) for side in (8, 32))
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        made.backward_pass(small_part(lr, hr), iteration=0, share=1.0)
    return {name: value.grad.clone() for name, value in made.named_parameters() if value.grad is not None}


def test_the_layout_of_memory() -> None:
    plain, fast = gradients(module()), gradients(module().to(memory_format=torch.channels_last))
    assert plain.keys() == fast.keys()
    for name, expected in plain.items():
        # A relative logit does not depend on D's last bias, whose gradient is rounding alone.
        atol = max(1e-4 * expected.abs().max().item(), 1e-7)
        torch.testing.assert_close(fast[name], expected, rtol=1e-3, atol=atol, msg=name)


@pytest.mark.parametrize("memory", ["lean", "checkpoint"])
def test_what_is_kept_for_the_backward_pass(memory: str) -> None:
    plain, saving = gradients(module("plain")), gradients(module(memory))
    assert plain.keys() == saving.keys()
    for name, expected in plain.items():
        torch.testing.assert_close(
            saving[name], expected, rtol=1e-3, atol=1e-4 * expected.abs().max().item(), msg=name
        )


def test_bf16_points_the_same_way() -> None:
    """Of 8 bits each, hundreds of roundings in a row leave a few percent; sums over a tensor average most of it."""
    exact, rounded = gradients(module()), gradients(module(), bf16=True)
    for net in ("generator.", "discriminator."):
        pairs = [(exact[name], rounded[name]) for name in exact if name.startswith(net)]
        expected, found = (torch.cat([pair[side].flatten() for pair in pairs]) for side in (0, 1))
        assert nn.functional.cosine_similarity(expected, found, dim=0) > 0.99
        assert found.norm() / expected.norm() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_the_fused_optimizer_is_the_plain_one(optimizer: str) -> None:
    cfg: Any = compose_config(f"optimizer@optimizer_g={optimizer}").optimizer_g
    assert cfg.fused
    found = []
    for fused in (True, False):
        torch.manual_seed(0)
        net = nn.Conv2d(3, 8, 3)
        stepper = instantiate(cfg, fused=fused)(net.parameters())
        for _ in range(5):
            for parameter in net.parameters():
                parameter.grad = torch.randn_like(parameter)
            stepper.step()
        found.append(net.weight.detach())
    torch.testing.assert_close(*found, rtol=0, atol=1e-7)
