"""A sweep on a cluster: what SLURM is asked for, and that jobs are runs like any other. No cluster is needed."""

import os
from pathlib import Path

import pytest
import torch
from helpers import run_program, small_gan

SBATCH = """#!/bin/sh
for last; do :; done
cp "$last" "{script}"
exit 1
"""


def overrides(tmp_path: Path, photos: Path) -> list[str]:
    small = [each for each in small_gan(tmp_path) if not each.startswith("run_dir")]
    return [*small, f"data.val_dir={photos}", "trainer.max_steps=3", f"hydra.sweep.dir={tmp_path}/sweep"]


def test_what_slurm_is_asked_for(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, programs = tmp_path / "script", tmp_path / "bin"
    programs.mkdir()
    for name in ("srun", "sbatch"):
        (programs / name).write_text(SBATCH.format(script=script))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    settings = [
        "hydra/launcher=slurm",
        "trainer.devices=4",
        "trainer.num_nodes=2",
        "hydra.launcher.partition=gpu",
    ]
    done = run_program("train.py", "-m", *overrides(tmp_path, photos), *settings)
    assert done.returncode == 1
    asked = [line.removeprefix("#SBATCH --") for line in script.read_text().splitlines() if "#SBATCH" in line]
    for line in (
        "nodes=2",
        "ntasks-per-node=4",
        "gpus-per-node=4",
        "signal=USR2@120",
        "partition=gpu",
        "time=1440",
    ):
        assert line in asked, asked


@pytest.mark.slow
def test_jobs_run_through_submitit(tmp_path: Path, photos: Path) -> None:
    done = run_program(
        "train.py",
        "-m",
        *overrides(tmp_path, photos),
        "hydra/launcher=submitit_local",
        "seed=0,1",
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    for job, seed in (("0", 0), ("1", 1)):
        content = torch.load(tmp_path / "sweep" / job / "checkpoints" / "last.ckpt", weights_only=True)
        assert (content["global_step"], content["config"]["seed"]) == (3, seed)
