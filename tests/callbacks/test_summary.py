"""The best values of a run in the summary of W&B."""

from types import SimpleNamespace
from typing import Any

import torch
from small_training import make

from sr.callbacks import summary
from sr.callbacks.summary import BestValues
from sr.training.psnr import PSNRModule


class Logger:
    def __init__(self) -> None:
        self.experiment = SimpleNamespace(summary={})


def validate(callback: BestValues, logger: Logger, iteration: int, **values: float) -> dict[str, Any]:
    module = make(PSNRModule)
    metrics = {f"val/{name}": torch.tensor(0.5) for name in module.metric.quantities}
    metrics |= {f"val/{name}": torch.tensor(value) for name, value in values.items()}
    trainer: Any = SimpleNamespace(
        sanity_checking=False, callback_metrics=metrics, global_step=iteration, loggers=[logger]
    )
    callback.on_validation_end(trainer, module)
    return logger.experiment.summary


def test_each_metric_has_its_own_best_whichever_direction_is_better(monkeypatch: Any) -> None:
    monkeypatch.setattr(summary, "WandbLogger", Logger)
    callback, logger = BestValues(), Logger()
    validate(callback, logger, 50, psnr_y=28.0, mse=0.25)
    validate(callback, logger, 100, psnr_y=30.0, mse=0.5)
    found = validate(callback, logger, 150, psnr_y=float("nan"), mse=0.125)
    assert (found["best/psnr_y"], found["best/psnr_y_iteration"]) == (30.0, 100)
    assert (found["best/mse"], found["best/mse_iteration"]) == (0.125, 150)


def test_a_resumed_run_remembers(monkeypatch: Any) -> None:
    monkeypatch.setattr(summary, "WandbLogger", Logger)
    before, after, logger = BestValues(), BestValues(), Logger()
    validate(before, logger, 50, psnr_y=30.0)
    after.load_state_dict(before.state_dict())
    assert validate(after, logger, 100, psnr_y=29.0)["best/psnr_y_iteration"] == 50
