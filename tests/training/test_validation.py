"""The metric and the losses of whole validation images."""

import pytest
import torch
from small_training import Pairs, make
from torch import Tensor, nn

from sr.archs.unet_disc import UNetDiscriminator
from sr.training.base import SRModule
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp


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
    module.log = lambda name, value, **_: logged.update({name: float(value)})
    module.on_validation_epoch_end()
    assert logged["val/psnr_y"] == pytest.approx(sum(rows[:3]) / 3, abs=1e-6)
    assert not module._validation._measured._rows


class Validate:
    """Hands images to a module's validation and keeps what it logs."""

    def __init__(self, module: SRModule) -> None:
        self.module = module.eval()
        self.logged: dict[str, float] = {}
        module.all_gather = lambda tensor: tensor
        module.log = lambda name, value, **_: self.logged.update({name: float(value)})

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
    found = Validate(module)(images((32, 40), (40, 24)))
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


def test_an_idle_discriminator_has_no_loss_in_validation() -> None:
    found = Validate(make(ramp=AdversarialRamp(generator_only=3), loss_patch_size=32))(images((32, 32)))
    assert "val/loss_d" not in found
    assert (
        found["val/loss_g"] == Validate(make(PSNRModule, loss_patch_size=32))(images((32, 32)))["val/loss_g"]
    )
    assert "val/loss_g" not in Validate(make(PSNRModule))(images((32, 32)))


def test_images_smaller_than_a_patch_are_left_out_of_losses_and_counted() -> None:
    validate = Validate(make(loss_patch_size=32))
    alone = validate(images((32, 36)))
    with pytest.warns(UserWarning, match="1 of 2 validation images are smaller than a patch of 32 pixels"):
        both = validate([*images((32, 36)), torch.rand(3, 36, 28)])
    assert both["val/loss_d"] == alone["val/loss_d"]
    assert both["val/psnr_y"] != alone["val/psnr_y"]
