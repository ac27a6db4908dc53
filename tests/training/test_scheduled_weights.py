"""Weights that follow a schedule, in training, in validation, from the command line and in a run that is resumed."""

from pathlib import Path
from typing import Any

import hydra
import lightning as L
import pytest
import torch
from helpers import compose_config
from omegaconf import OmegaConf
from small_training import BATCH, Pairs, fit, make, weights
from torch import Tensor
from torch.utils.data import DataLoader

from sr.cli.argument_types import check_types
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.base import SRModule
from sr.training.gan import FirstStage, GANModule
from sr.training.psnr import PSNRModule
from sr.training.schedule import AdversarialRamp

SLOPE = {"from": 0, "to": 1, "over": 100}  # a hundredth per iteration


def scheduled(mapping: dict[str, float]) -> WeightedLoss:
    return WeightedLoss(terms={"l1": WeightedTerm(weight=mapping, loss=L1Loss())})


def factors(module: SRModule, iterations: range) -> list[float]:
    """The weight that validation sees at each iteration, whose images differ by 1."""
    sr, hr = torch.ones(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
    return [module.content(sr, hr, iteration=each, average=lambda: sr)["l1"].item() for each in iterations]


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_iterations_count_from_the_beginning_of_the_run(kind: type[SRModule]) -> None:
    changes = {"ramp": AdversarialRamp(generator_only=2)} if kind is GANModule else {}
    module = make(kind, content_loss=scheduled(SLOPE), **changes)
    assert factors(module, range(4)) == pytest.approx([0.0, 0.01, 0.02, 0.03])


def test_after_a_first_stage_they_count_from_the_beginning_of_the_gan() -> None:
    plain = make()
    first = FirstStage(
        content_loss=scheduled(SLOPE), optimizer_g=plain.optimizer_g, scheduler_g=plain.scheduler_g
    )
    module = make(content_loss=scheduled(SLOPE), first_stage=first, ramp=AdversarialRamp(generator_only=3))
    assert factors(module, range(6)) == pytest.approx([0.0, 0.01, 0.02, 0.0, 0.01, 0.02])


def test_validation_has_the_weight_of_its_iteration(tmp_path: Path) -> None:
    module = make(PSNRModule, content_loss=scheduled(SLOPE), loss_patch_size=16)
    seen: list[dict[str, float]] = []

    class Look(L.Callback):
        def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            sr, hr = torch.ones(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
            losses = module.losses(sr, hr, iteration=max(module.global_step - 1, 0))
            seen.append({"step": module.global_step, "weight": losses.generator.item()})

    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=4,
        callbacks=[Look()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        val_check_interval=2,
        default_root_dir=tmp_path,
    )
    trainer.fit(module, DataLoader(Pairs(4 * BATCH), batch_size=BATCH), DataLoader(Pairs(1)))
    assert [each["step"] for each in seen] == [2, 4]
    assert [each["weight"] for each in seen] == pytest.approx(
        [0.01, 0.03]
    )  # of the iterations 1 and 3, from 0
    expected = 0.03 * (module.super_resolve(Pairs(1).lr) - Pairs(1).hr)[..., 8:24, 8:24].abs().mean()
    assert trainer.callback_metrics["val/loss_g"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_resumed_run_goes_on_to_the_bit(tmp_path: Path) -> None:
    def settings() -> Any:
        return make(PSNRModule, content_loss=scheduled({"from": 1, "to": 0.1, "over": 3, "after": 1}))

    data = DataLoader(Pairs(BATCH), batch_size=BATCH)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    whole, half, rest = settings(), settings(), settings()
    for module, steps, origin in ((whole, 4, None), (half, 2, None), (rest, 4, tmp_path / "half.ckpt")):
        trainer = L.Trainer(accelerator="cpu", max_steps=steps, default_root_dir=tmp_path, **quiet)
        trainer.fit(module, data, ckpt_path=origin, weights_only=False)
        if module is half:
            trainer.save_checkpoint(tmp_path / "half.ckpt")
    assert torch.equal(weights(whole.generator), weights(rest.generator))
    assert not torch.equal(weights(whole.generator), weights(half.generator))


def test_a_loss_of_ones_own_need_not_know_of_iterations(tmp_path: Path) -> None:
    def content_loss(sr: Tensor, target: Tensor) -> dict[str, Tensor]:
        return {"own": (sr - target).abs().mean()}

    plain, own = make(), make(content_loss=content_loss)
    for module in (plain, own):
        fit(module, tmp_path, steps=2, data=Pairs(2 * BATCH))
    assert torch.equal(weights(plain.generator), weights(own.generator))


def test_it_can_be_typed_on_the_command_line() -> None:
    cfg = compose_config(
        "experiment=quickstart", "data=dead_leaves", "loss.l1.weight={from: 0, to: 1, over: 1000}"
    )
    terms = OmegaConf.to_container(cfg.loss, resolve=True)
    check_types({"loss": terms})
    loss = hydra.utils.instantiate(
        {"_target_": "sr.losses.weighted.WeightedLoss", "_convert_": "all", "terms": terms}
    )
    sr, hr = torch.ones(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    assert loss(sr, hr, iteration=torch.tensor(250))["l1"].item() == 0.25
