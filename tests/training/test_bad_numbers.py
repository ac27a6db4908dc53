"""An iteration with a loss or gradient that is not finite."""

import copy
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from helpers import equal
from optimizer_options import OPTIONS, option
from small_training import BATCH, Pairs, fit, make, weights
from torch import Tensor, nn

from sr.training.psnr import PSNRModule


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


@pytest.mark.parametrize("name", [*OPTIONS, "adam", "nadam", "rmsprop"])
def test_an_iteration_with_bad_numbers_changes_no_state_of_an_optimizer(tmp_path: Path, name: str) -> None:
    """It is as if it had not been: the same weights and the same states, to the bit, of G and of D."""
    whole = Pairs(BATCH * 3)
    data = [Pairs(BATCH * 3, poison=BATCH + 1), torch.utils.data.Subset(whole, [*range(4), *range(8, 12)])]
    trained = []
    for pairs, steps in zip(data, (3, 2), strict=True):
        module = make(optimizer_g=option(name), optimizer_d=option(name))
        trainer = fit(module, tmp_path, steps=steps, data=pairs)
        states = [optimizer.state_dict() for optimizer in trainer.optimizers]
        trained.append((states, module.generator.state_dict(), module.discriminator.state_dict()))
        assert module.consensus.bad_in_all == steps - 2
    assert equal(trained[0][0], trained[1][0])
    assert all(
        equal(dict(one), dict(other)) for one, other in zip(trained[0][1:], trained[1][1:], strict=True)
    )
