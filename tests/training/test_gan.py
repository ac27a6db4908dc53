"""The iteration of a GAN: the usual two passes in one, and the stages before it."""

import copy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import BATCH, Pairs, fit, make, small_part, weights
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR

from sr.archs.multiscale_disc import MultiscalePatchDiscriminator
from sr.losses.pixel import MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.gan import FirstStage, GANModule
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp


def two_pass_training(module: GANModule, data: Pairs, steps: int) -> tuple[nn.Module, nn.Module]:
    """The usual alternation, written out with two backward passes through D."""
    targets = data.hr if data.target is None else data.target
    generator, discriminator = copy.deepcopy(module.generator), copy.deepcopy(module.discriminator)
    optimizer_g = torch.optim.SGD(generator.parameters(), lr=0.1)
    optimizer_d = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    softplus = nn.functional.softplus
    for step in range(steps):
        part = slice(step * BATCH, (step + 1) * BATCH)
        hr, lr, target = data.hr[part], data.lr[part], targets[part]
        sr = generator(lr)
        adversarial = torch.zeros(())
        pairs = maps(discriminator(hr), discriminator(sr))
        for real, fake in pairs:
            real = real.detach()
            adversarial = adversarial + softplus(real - fake.mean()).mean() / len(pairs)
            adversarial = adversarial + softplus(real.mean() - fake).mean() / len(pairs)
        optimizer_g.zero_grad()
        ((sr - target).abs().mean() + 0.1 * adversarial).backward()
        optimizer_g.step()
        loss_d = torch.zeros(())
        for real, fake in maps(discriminator(hr), discriminator(sr.detach())):
            loss_d = loss_d + softplus(fake.mean() - real).mean() / len(pairs)
            loss_d = loss_d + softplus(fake - real.mean()).mean() / len(pairs)
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
    return generator, discriminator


def maps(real: Any, fake: Any) -> list[tuple[Tensor, Tensor]]:
    """Real and fake logits of each discriminator; each is one of its own, whose logits are relative to its own mean."""
    return [(real, fake)] if isinstance(real, Tensor) else [*zip(real, fake, strict=True)]


@pytest.mark.parametrize("scales", [0, 2])
@pytest.mark.parametrize("target", [False, True])
def test_one_backward_is_the_paper_s_two(tmp_path: Path, target: bool, scales: int) -> None:
    # Plain SGD: a relative logit does not depend on D's last bias, and Adam would blow up the rounding of its gradient.
    sgd = partial(torch.optim.SGD, lr=0.1)
    module = make(optimizer_g=sgd, optimizer_d=sgd)
    if scales:
        module.discriminator = MultiscalePatchDiscriminator(num_feat=4, num_layer=1, num_scale=scales)
    data = Pairs(BATCH * 5, target=target)
    generator, discriminator = two_pass_training(module, data, 5)
    start_g, start_d = weights(module.generator).clone(), weights(module.discriminator).clone()
    fit(module, tmp_path, steps=5, data=data)
    torch.testing.assert_close(weights(module.generator), weights(generator), atol=5e-6, rtol=1e-5)
    torch.testing.assert_close(weights(module.discriminator), weights(discriminator), atol=5e-6, rtol=1e-5)
    assert (weights(module.generator) - start_g).abs().max() > 1e-3
    assert (weights(module.discriminator) - start_d).abs().max() > 1e-3


def test_generator_only_phase_leaves_the_discriminator_alone(tmp_path: Path) -> None:
    module = make(ramp=AdversarialRamp(generator_only=3))
    start = weights(module.discriminator).clone()
    fit(module, tmp_path, steps=3)
    assert torch.equal(weights(module.discriminator), start)
    plain = make(PSNRModule)
    fit(plain, tmp_path, steps=3)
    torch.testing.assert_close(weights(module.generator), weights(plain.generator), atol=1e-7, rtol=0)
    longer = make(ramp=AdversarialRamp(generator_only=3))
    fit(longer, tmp_path, steps=4)
    assert not torch.equal(weights(longer.discriminator), start)


def test_the_second_stage_begins_with_the_average_of_the_first(tmp_path: Path) -> None:
    """And with its own optimizer and losses; the first is a run for PSNR of its own."""
    first = FirstStage(
        content_loss=WeightedLoss(terms={"mse": WeightedTerm(weight=2.0, loss=MSELoss())}),
        optimizer_g=partial(torch.optim.SGD, lr=0.1),
        scheduler_g=partial(ConstantLR, factor=1.0, total_iters=0),
    )
    alone = make(PSNRModule, content_loss=first.content_loss, optimizer_g=first.optimizer_g)
    fit(alone, tmp_path, steps=3)
    still = partial(torch.optim.SGD, lr=0.0)
    module = make(first_stage=first, ramp=AdversarialRamp(generator_only=3), optimizer_g=still)
    fit(module, tmp_path, steps=3)
    torch.testing.assert_close(weights(module.generator), weights(alone.generator), atol=1e-7, rtol=0)
    assert not torch.equal(weights(module.generator), weights(module.generator_ema))
    module = make(first_stage=first, ramp=AdversarialRamp(generator_only=3), optimizer_g=still)
    start = weights(module.discriminator).clone()
    fit(module, tmp_path, steps=4, data=Pairs(BATCH * 3 + BATCH))
    torch.testing.assert_close(weights(module.generator), weights(alone.generator_ema), atol=1e-7, rtol=0)
    assert not torch.equal(weights(module.discriminator), start)
    with pytest.raises(
        ValueError, match=r"model\.ramp\.generator_only=0: it is the length of model\.first_stage"
    ):
        make(first_stage=first)


def test_measuring_health_changes_no_gradient() -> None:
    """And the norms are those of each loss alone."""
    gradients, found = [], []
    for measured in (False, True):
        module = make()
        module.manual_backward = lambda loss: loss.backward()
        item = Pairs(2)
        found.append(
            module.backward_pass(small_part(item.lr, item.hr), iteration=0, share=1.0, measured=measured)
        )
        gradients.append([value.grad.clone() for value in module.parameters() if value.grad is not None])
    for plain, beside in zip(*gradients, strict=True):
        assert torch.equal(plain, beside)
    module = make()
    loss = (module.generator(item.lr) - item.hr).abs().mean()
    (gradient,) = torch.autograd.grad(loss, module.generator.conv_last.weight)
    plain, beside = found
    assert not plain.health
    assert not plain.metrics
    assert beside.health["gradient_l1"].item() == pytest.approx(gradient.norm().item(), rel=1e-4)
    assert 0 <= beside.health["accuracy_d"].item() <= 1
    assert beside.health["ema_distance"].item() == 0
    assert beside.metrics.keys() == {"psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb", "mse"}
    assert beside.training().keys() == {"l1", "adversarial", "loss_g", "loss_d", "logits_real", "logits_fake"}


def test_batch_statistics_of_real_and_generated_images_stay_apart() -> None:
    module = make(discriminator=nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)))
    hr, fake = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8) + 1
    real_logits, fake_logits = module._discriminate(hr, fake)
    for (logits,) in (real_logits, fake_logits):
        torch.testing.assert_close(logits.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)


def test_an_idle_net_keeps_its_schedule_for_when_it_starts(tmp_path: Path) -> None:
    module = make(ramp=AdversarialRamp(generator_only=3), optimization=Optimization(warmup_iterations=4))
    trainer = fit(module, tmp_path, steps=5)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == pytest.approx([1e-3, 1e-3 * 3 / 5])  # G after five iterations, D after two
