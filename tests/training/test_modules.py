"""The iteration: what it computes, how it is counted, and how it stops."""

import copy
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR
from torch.utils.data import DataLoader, Dataset

from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.rrdbnet import RRDBNet
from sr.archs.unet_disc import UNetDiscriminator
from sr.losses.gan import RelativisticAverageGANLoss, VanillaGANLoss
from sr.losses.pixel import L1Loss, MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.metrics.protocol import Protocol
from sr.training.base import SRModule
from sr.training.gan import FirstStage, GANModule
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

BATCH = 4


class Pairs(Dataset):
    """Fixed random pairs; `poison` makes one sample infinite, `target` gives each a target that is not its HR."""

    def __init__(self, count: int, poison: int | None = None, target: bool = False) -> None:
        generator = torch.Generator().manual_seed(0)
        self.hr = torch.rand(count, 3, 32, 32, generator=generator)
        self.lr = nn.functional.avg_pool2d(self.hr, 4)
        if poison is not None:
            self.lr[poison] = float("inf")
        # A young net answers black, and L1's gradient is a sign: between black and 1 - hr it would be that of hr.
        self.target = -self.hr if target else None

    def __len__(self) -> int:
        return len(self.hr)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = {"lr": self.lr[index], "hr": self.hr[index], "index": index}
        return item if self.target is None else {**item, "target": self.target[index]}


def make(kind: type[SRModule] = GANModule, **changes: Any) -> SRModule:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "generator": RRDBNet(num_feat=8, num_block=1, num_grow_ch=4),
        "content_loss": WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss())}),
        "optimizer_g": partial(torch.optim.Adam, lr=1e-3),
        "scheduler_g": partial(ConstantLR, factor=1.0, total_iters=0),
        "metric": Protocol(crop_border=4),
    }
    if kind is GANModule:
        settings |= {
            "discriminator": PatchDiscriminator(num_feat=4, num_layer=2),
            "gan_loss": RelativisticAverageGANLoss(base=VanillaGANLoss()),
            "gan_weight": 0.1,
            "optimizer_d": partial(torch.optim.Adam, lr=1e-3),
            "scheduler_d": partial(ConstantLR, factor=1.0, total_iters=0),
            "ramp": AdversarialRamp(),
        }
    return kind(**settings | changes)


def fit(
    module: SRModule, tmp_path: Path, *, steps: int, data: Dataset | None = None, **changes: Any
) -> L.Trainer:
    settings = {"accelerator": "cpu", "devices": 1, "max_steps": steps, "log_every_n_steps": 1} | changes
    trainer = L.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        **settings,
    )
    trainer.fit(module, DataLoader(data or Pairs(BATCH * steps), batch_size=BATCH))
    return trainer


def weights(net: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


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
        real, fake = discriminator(hr).detach(), discriminator(sr)
        adversarial = softplus(real - fake.mean()).mean() + softplus(real.mean() - fake).mean()
        optimizer_g.zero_grad()
        ((sr - target).abs().mean() + 0.1 * adversarial).backward()
        optimizer_g.step()
        real, fake = discriminator(hr), discriminator(sr.detach())
        loss_d = softplus(fake.mean() - real).mean() + softplus(fake - real.mean()).mean()
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()
    return generator, discriminator


@pytest.mark.parametrize("target", [False, True])
def test_one_backward_is_the_paper_s_two(tmp_path: Path, target: bool) -> None:
    # Plain SGD: a relative logit does not depend on D's last bias, and Adam would blow up the rounding of its gradient.
    sgd = partial(torch.optim.SGD, lr=0.1)
    module = make(optimizer_g=sgd, optimizer_d=sgd)
    data = Pairs(BATCH * 5, target=target)
    generator, discriminator = two_pass_training(module, data, 5)
    start_g, start_d = weights(module.generator).clone(), weights(module.discriminator).clone()
    fit(module, tmp_path, steps=5, data=data)
    torch.testing.assert_close(weights(module.generator), weights(generator), atol=5e-6, rtol=1e-5)
    torch.testing.assert_close(weights(module.discriminator), weights(discriminator), atol=5e-6, rtol=1e-5)
    assert (weights(module.generator) - start_g).abs().max() > 1e-3
    assert (weights(module.discriminator) - start_d).abs().max() > 1e-3


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
    whole, parts = make(kind, **changes), make(kind, accumulate=2, **changes)
    data = Pairs(BATCH * 3, target=target)
    for module in (whole, parts):
        assert fit(module, tmp_path, steps=3, data=data).global_step == 3
    torch.testing.assert_close(weights(parts.generator), weights(whole.generator), atol=2e-6, rtol=0)
    with pytest.raises(ValueError, match=r"data\.batch_size=4 must be a multiple of model\.accumulate=3"):
        fit(make(kind, accumulate=3), tmp_path, steps=1)


class Recorder(nn.Module):
    """Passes on what `net` says of its arguments, and keeps them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, *images: Tensor) -> Any:
        self.seen.append(tuple(image.detach() for image in images))
        return self.net(*images)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_content_losses_see_the_target_and_the_discriminator_plain_hr(
    tmp_path: Path, accumulate: int
) -> None:
    content_loss = Recorder(WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss())}))
    discriminator = Recorder(PatchDiscriminator(num_feat=4, num_layer=2))
    data = Pairs(BATCH, target=True)
    module = make(content_loss=content_loss, discriminator=discriminator, accumulate=accumulate)
    fit(module, tmp_path, steps=1, data=data)
    assert len(content_loss.seen) == len(discriminator.seen) == accumulate
    compared = torch.cat([target for _, target in content_loss.seen])
    judged_real = torch.cat([images.chunk(2)[0] for (images,) in discriminator.seen])
    assert torch.equal(compared, data.target)
    assert torch.equal(judged_real, data.hr)


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_hr_is_its_own_target_unless_there_is_one(tmp_path: Path, kind: type[SRModule]) -> None:
    plain, same, other = make(kind), make(kind), make(kind)
    data = Pairs(BATCH * 2, target=True)
    fit(other, tmp_path, steps=2, data=data)
    data.target = data.hr
    fit(same, tmp_path, steps=2, data=data)
    fit(plain, tmp_path, steps=2, data=Pairs(BATCH * 2))
    assert torch.equal(weights(plain.generator), weights(same.generator))
    assert not torch.equal(weights(plain.generator), weights(other.generator))


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
    judged = weights(module.discriminator).clone()
    fit(module, tmp_path, steps=4, data=Pairs(BATCH * 3 + BATCH))
    torch.testing.assert_close(weights(module.generator), weights(alone.generator_ema), atol=1e-7, rtol=0)
    assert not torch.equal(weights(module.discriminator), judged)
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
            module.backward_pass(item.lr, item.hr, target=item.hr, iteration=0, share=1.0, measured=measured)
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


def test_a_resting_net_keeps_its_schedule_for_when_it_wakes(tmp_path: Path) -> None:
    module = make(ramp=AdversarialRamp(generator_only=3), warmup_iterations=4)
    trainer = fit(module, tmp_path, steps=5)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == pytest.approx([1e-3, 1e-3 * 3 / 5])  # G after five iterations, D after two


def test_batch_statistics_of_real_and_generated_images_stay_apart() -> None:
    module = make(discriminator=nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)))
    hr, fake = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8) + 1
    real_logits, fake_logits = module._discriminate(hr, fake)
    for logits in (real_logits, fake_logits):
        torch.testing.assert_close(logits.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)


def test_gradient_clipping_bounds_each_net(tmp_path: Path) -> None:
    module = make(
        gradient_clip=1e-3,
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


def test_other_precisions_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"trainer\.precision=bf16-true: choose one of 32-true, bf16-mixed"):
        fit(make(PSNRModule), tmp_path, steps=1, precision="bf16-true")
    with pytest.raises(ValueError, match=r"16-mixed.*share one gradient scaler"):
        SRModule.check_precision("16-mixed")


def test_an_iteration_with_bad_numbers_changes_no_weight(tmp_path: Path) -> None:
    """Nor a running statistic; the next good one trains on, and the count of iterations goes on."""
    net = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Upsample(scale_factor=4))
    module, good = make(generator=net), make(generator=copy.deepcopy(net))
    fit(good, tmp_path, steps=2, data=Pairs(BATCH * 2))
    trainer = fit(module, tmp_path, steps=3, data=Pairs(BATCH * 3, poison=2 * BATCH + 1))
    assert trainer.global_step == 3
    assert module.consensus.bad_in_all == 1
    for name, value in good.state_dict().items():
        if name.startswith(("generator.", "discriminator.")) and "num_batches" not in name:
            torch.testing.assert_close(module.state_dict()[name], value, atol=0, rtol=0, msg=name)
    more = fit(make(), tmp_path, steps=4, data=Pairs(BATCH * 4, poison=2 * BATCH + 1)).lightning_module
    assert weights(more.generator).isfinite().all()
    assert not torch.equal(weights(more.generator), weights(make().generator))


def test_a_gradient_that_is_not_finite_is_a_bad_number_too(tmp_path: Path) -> None:
    class Rootlike(nn.Module):
        def forward(self, sr: Tensor, target: Tensor) -> dict[str, Tensor]:
            return {"root": (sr - sr.detach()).square().sum().sqrt()}  # 0, with a gradient of 0 / 0

    module = make(PSNRModule, content_loss=Rootlike())
    start = weights(module.generator).clone()
    fit(module, tmp_path, steps=2)
    assert module.consensus.bad_in_all == 2
    assert torch.equal(weights(module.generator), start)


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


def test_bad_numbers_are_no_part_of_logged_means(tmp_path: Path) -> None:
    logged: list[dict[str, float]] = []

    class Log(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            logged.append({key: float(value) for key, value in trainer.callback_metrics.items()})

    settings = {"log_every_n_steps": 3, "callbacks": [Log()]}
    fit(make(PSNRModule), tmp_path, steps=2, data=Pairs(BATCH * 2), log_every_n_steps=2, callbacks=[Log()])
    expected = logged[-1]["train/loss_g"]
    fit(make(PSNRModule), tmp_path, steps=3, data=Pairs(BATCH * 3, poison=2 * BATCH), **settings)
    assert logged[-1]["train/loss_g"] == pytest.approx(expected, rel=1e-6)
    assert logged[-1]["train/skipped"] == 1


def test_validation_is_the_mean_over_images_each_counted_once() -> None:
    module = make(PSNRModule)
    pairs = Pairs(3)
    rows = []
    for index in (0, 1, 2, 0):  # the last one is a sampler's filling
        item = pairs[index]
        batch = {"lr": item["lr"][None], "hr": item["hr"][None], "index": torch.tensor([index])}
        module.validation_step(batch, index)
        rows.append(module.metric(module.super_resolve(batch["lr"]), batch["hr"])["psnr_y"].item())
    logged: dict[str, float] = {}
    module.all_gather = lambda tensor: tensor
    module.log = lambda name, value, **_: logged.update({name: value.item()})
    module.on_validation_epoch_end()
    assert logged["val/psnr_y"] == pytest.approx(sum(rows[:3]) / 3, abs=1e-6)
    assert not module._validated._rows


class Judges:
    """Hands images to a module's validation and keeps what it logs."""

    def __init__(self, module: SRModule) -> None:
        self.module = module.eval()
        self.logged: dict[str, float] = {}
        module.all_gather = lambda tensor: tensor
        module.log = lambda name, value, **_: self.logged.update({name: value.item()})

    def __call__(self, images: list[Tensor]) -> dict[str, float]:
        self.logged.clear()
        for index, hr in enumerate(images):
            lr = nn.functional.avg_pool2d(hr[None], 4)
            with torch.no_grad():  # as Lightning validates
                self.module.validation_step({"lr": lr, "hr": hr[None], "index": torch.tensor([index])}, index)
        self.module.on_validation_epoch_end()
        return dict(self.logged)


def images(*sizes: tuple[int, int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.rand(3, *size, generator=generator) for size in sizes]


def test_validation_has_the_losses_of_the_middle_of_each_image() -> None:
    """Of the averaged generator and the discriminator as it is, neither of which learns from it."""
    module = make(discriminator=UNetDiscriminator(num_feat=4), loss_patch_size=24)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = Judges(module)(images((32, 40), (40, 24)))
    expected_g, expected_d = [], []
    softplus = nn.functional.softplus
    for hr in images((32, 40), (40, 24)):
        sr = module.super_resolve(nn.functional.avg_pool2d(hr[None], 4))
        top, left = (hr.shape[1] - 24) // 2, (hr.shape[2] - 24) // 2
        sr, hr = (image[..., top : top + 24, left : left + 24] for image in (sr, hr[None]))
        real, fake = module.discriminator(hr), module.discriminator(sr)
        above = softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()
        below = softplus(real - fake.mean()).mean() + softplus(-(fake - real.mean())).mean()
        expected_d.append(above.item())
        expected_g.append(((sr - hr).abs().mean() + 0.1 * below).item())
    assert found["val/loss_g"] == pytest.approx(sum(expected_g) / 2, rel=1e-5)
    assert found["val/loss_d"] == pytest.approx(sum(expected_d) / 2, rel=1e-5)
    for name, value in module.state_dict().items():  # nor does the power iteration of the spectral norm go on
        assert torch.equal(value, before[name]), name


def test_a_discriminator_that_sleeps_has_no_loss_in_validation() -> None:
    found = Judges(make(ramp=AdversarialRamp(generator_only=3), loss_patch_size=32))(images((32, 32)))
    assert "val/loss_d" not in found
    assert found["val/loss_g"] == Judges(make(PSNRModule, loss_patch_size=32))(images((32, 32)))["val/loss_g"]
    assert "val/loss_g" not in Judges(make(PSNRModule))(images((32, 32)))


def test_images_smaller_than_a_patch_are_left_out_of_losses_and_counted() -> None:
    judges = Judges(make(loss_patch_size=32))
    alone = judges(images((32, 36)))
    with pytest.warns(UserWarning, match="1 of 2 validation images are smaller than a patch of 32 pixels"):
        both = judges([*images((32, 36)), torch.rand(3, 36, 28)])
    assert both["val/loss_d"] == alone["val/loss_d"]
    assert both["val/psnr_y"] != alone["val/psnr_y"]


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_training_has_the_metrics_of_its_batches_where_it_logs(
    tmp_path: Path, kind: type[SRModule], accumulate: int
) -> None:
    logged: dict[int, dict[str, float]] = {}

    class Log(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            found = {key: float(value) for key, value in trainer.callback_metrics.items()}
            logged[trainer.global_step] = {
                key: value for key, value in found.items() if key.startswith("train/psnr")
            }

    module = make(kind, accumulate=accumulate)
    data = Pairs(BATCH * 2)
    with torch.no_grad():  # before the first update; the patches lie on the levels that the metric rounds to
        first = module.metric(module.generator(data.lr[:BATCH]), data.hr[:BATCH])
    fit(module, tmp_path, steps=2, data=data, callbacks=[Log()])
    assert logged[1]["train/psnr_y"] == pytest.approx(first["psnr_y"].mean().item(), rel=1e-5)
    assert logged[1] != logged[2]
    logged.clear()
    fit(make(kind), tmp_path, steps=2, data=data, callbacks=[Log()], log_every_n_steps=2)
    assert not logged[1]
    assert logged[2]


def test_a_perfect_batch_is_no_bad_number(tmp_path: Path) -> None:
    """Its PSNR is infinite."""
    data = Pairs(BATCH)
    data.hr = nn.functional.interpolate(data.lr, scale_factor=4, mode="nearest")
    net = nn.Sequential(nn.Upsample(scale_factor=4, mode="nearest"), nn.Conv2d(3, 3, 1, bias=False))
    nn.init.dirac_(net[1].weight)
    module = make(PSNRModule, generator=net)
    trainer = fit(module, tmp_path, steps=1, data=data)
    assert trainer.callback_metrics["train/psnr_y"].isinf()
    assert module.consensus.bad_in_all == 0


def test_patches_too_small_for_the_metric_have_none(tmp_path: Path) -> None:
    trainer = fit(
        make(PSNRModule, metric=Protocol(crop_border=11)), tmp_path, steps=1
    )  # which needs 33 pixels
    assert not [key for key in trainer.callback_metrics if "psnr" in key]


def test_a_loss_keeps_its_name_beside_a_metric_of_the_same(tmp_path: Path) -> None:
    loss = WeightedLoss(terms={"mse": WeightedTerm(weight=1000.0, loss=MSELoss())})
    metrics = fit(make(PSNRModule, content_loss=loss), tmp_path, steps=1).callback_metrics
    assert metrics["train/mse"] == metrics["train/loss_g"]


def test_mistakes_are_named() -> None:
    for changes, message in (
        ({"ema_decay": 1.0}, "ema_decay=1.0"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"gradient_clip": 0.0}, "gradient_clip=0.0"),
        ({"monitor": "psnr"}, "monitor=psnr: choose one of psnr_y, ssim_y, psnr_rgb, ssim_rgb, mse"),
    ):
        with pytest.raises(ValueError, match=message):
            make(PSNRModule, **changes)


def test_what_trains_is_compiled_and_the_average_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    module = make()
    compiled: list[nn.Module] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    monkeypatch.setattr(torch._functorch.config, "donated_buffer", True)  # and back afterwards
    names = set(module.state_dict())
    module.compile_nets()
    assert compiled == [module.generator, module.discriminator, module.content_loss]
    assert set(module.state_dict()) == names
    assert not torch._functorch.config.donated_buffer
