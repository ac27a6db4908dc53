"""The options of debug=, each as a user starts it but for the sizes."""

import csv
from pathlib import Path

import pytest
import torch
from helpers import ROOT, compose_config, small_nets
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from sr.config import register_schemas
from sr.programs.train import train
from sr.run.directory import register_resolvers

SMALL = (
    "experiment=quickstart",
    "data.num_images=3",
    "data.image_size=64",
    "data.hr_patch_size=32",
    "data.batch_size=2",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "callbacks.samples.count=1",
)


def run(tmp_path: Path, photos: Path, *overrides: str) -> Path:
    settings = [*SMALL, f"run_dir={tmp_path}/run", f"data.val_dir={photos}"]
    train(compose_config(*settings, *small_nets(compose_config(*settings)), *overrides))
    return tmp_path / "run"


def rows(run_dir: Path) -> list[dict[str, str]]:
    with (run_dir / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_batch_runs_everything_once(tmp_path: Path, photos: Path) -> None:
    run_dir = run(tmp_path, photos, "debug=batch", "model.ramp.generator_only=0")
    assert torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)["global_step"] == 1
    (training,) = (row for row in rows(run_dir) if row["train/loss_d"])
    (validation,) = (row for row in rows(run_dir) if row["val/psnr_y"])
    assert training["iteration"] == validation["iteration"] == "1"
    assert len([*(run_dir / "samples").iterdir()]) == 1
    assert (run_dir / "curves.png").exists()


def test_overfitting_is_training_on_the_first_batch(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    forward = nn.Module.__call__

    def watched(net: nn.Module, *arguments: Tensor, **named: Tensor) -> Tensor:
        if type(net).__name__ == "SRVGGNetCompact" and net.training and torch.is_grad_enabled():
            seen.append(arguments[0].clone())
        return forward(net, *arguments, **named)

    monkeypatch.setattr(nn.Module, "__call__", watched)
    short = ("trainer.max_steps=2", "data.iterations_per_epoch=2", "data.num_workers=0")
    run(tmp_path, photos, "debug=overfit", *short)
    first, second = seen
    assert torch.equal(first, second)


def test_the_profiler_leaves_a_table_in_the_run_directory(tmp_path: Path, photos: Path) -> None:
    short = ("trainer.max_steps=2", "data.iterations_per_epoch=2", "data.num_workers=0")
    run_dir = run(tmp_path, photos, "debug=profiler", *short)
    assert "run_training_batch" in (run_dir / "fit-profile.txt").read_text()


@pytest.mark.parametrize("choice", sorted(path.stem for path in (ROOT / "conf" / "debug").glob("[!_]*.yaml")))
def test_it_lands_apart_from_real_runs(choice: str) -> None:
    register_schemas()
    register_resolvers()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("train", overrides=[f"debug={choice}"], return_hydra_config=True)
        assert cfg.hydra.run.dir.startswith("runs/debug/image_enhancement/")
        assert list(cfg.logger) == ["csv"]
        assert list(compose("train", overrides=[f"debug={choice}", "logger=tensorboard"]).logger) != ["csv"]
