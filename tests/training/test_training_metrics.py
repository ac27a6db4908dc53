"""The metric of the batches that are trained on."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from small_training import BATCH, Pairs, fit, make

from sr.losses.pixel import MSELoss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.metrics.protocol import Protocol
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule


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

    module = make(kind, optimization=Optimization(accumulate=accumulate))
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


def test_patches_too_small_for_the_metric_have_none(tmp_path: Path) -> None:
    trainer = fit(
        make(PSNRModule, metric=Protocol(crop_border=11)), tmp_path, steps=1
    )  # which needs 33 pixels
    assert not [key for key in trainer.callback_metrics if "psnr" in key]


def test_a_loss_keeps_its_name_beside_a_metric_of_the_same(tmp_path: Path) -> None:
    loss = WeightedLoss(terms={"mse": WeightedTerm(weight=1000.0, loss=MSELoss())})
    metrics = fit(make(PSNRModule, content_loss=loss), tmp_path, steps=1).callback_metrics
    assert metrics["train/mse"] == metrics["train/loss_g"]
