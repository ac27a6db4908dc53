"""Small runs of train.py to which something happens, in a process of their own, and the same runs undisturbed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from helpers import compose_config, small_gan
from processes import ROOT, finished, running

from sr.programs.train import train

# A prelude does something to the program, in each of its processes, which then runs as from the command line.
PROGRAM = """
import os, signal, sys
sys.path.insert(0, {root!r})
{prelude}
program = {root!r} + "/train.py"
exec(compile(open(program).read(), program, "exec"))
"""
SETTINGS = ("trainer.max_steps=8", "callbacks.checkpoints.every_n_iterations=1")
ENDLESS = ("trainer.max_steps=100000", "scheduler_g.T_max=50", "data.iterations_per_epoch=1000")


def arguments(run_dir: Path, *overrides: str) -> list[str]:
    """Of train.py."""
    settings = [each for each in small_gan(run_dir) if not each.startswith("run_dir")]
    return [*settings, f"hydra.run.dir={run_dir}", *overrides]


def command(run_dir: Path, prelude: str, *overrides: str) -> list[str]:
    program = run_dir.with_name(f"{run_dir.name}.py")
    program.write_text(PROGRAM.format(root=str(ROOT), prelude=prelude))
    return [sys.executable, str(program), *arguments(run_dir, *overrides)]


def start(run_dir: Path, prelude: str = "", *overrides: str) -> subprocess.CompletedProcess[str]:
    """Run train.py in a process of its own, with a prelude, to its end."""
    with running(command(run_dir, prelude, *overrides)) as process:
        return finished(process)


def last(run_dir: Path) -> dict[str, Any]:
    """The content of the newest checkpoint of a run."""
    content: dict[str, Any] = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def whole(tmp_path: Path, *settings: str) -> dict[str, Any]:
    """The end of a run that nothing happens to."""
    train(compose_config(*small_gan(tmp_path / "whole"), *settings))
    return last(tmp_path / "whole")


def has_rows(run_dir: Path, count: int) -> bool:
    """Whether so many rows are in metrics.csv."""
    file = run_dir / "metrics.csv"
    return file.exists() and len(file.read_text().splitlines()) > count


def finish(run_dir: Path, processes: int, *settings: str) -> None:
    """Run training to its end on so many processes; a single one is this process."""
    if processes == 1:
        train(compose_config(*small_gan(run_dir), *settings))
    else:
        done = start(run_dir, "", *settings)
        assert done.returncode == 0, done.stderr
