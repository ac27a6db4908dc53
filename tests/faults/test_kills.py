"""What happens to a run from outside, and that nothing of it is lost: docs/reliability.md lists all of it."""

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_config, run_program, same_state, small_gan
from processes import finished, running, wait_until
from small_runs import SETTINGS, command

from train import train

KILL = "os.kill(os.getpid(), signal.SIGKILL)"
IN_AN_ITERATION = f"""
from sr.training.base import SRModule
step = SRModule._step
def _step(self, stepping):  # gradients are there, weights are not changed yet
    if self.global_step == 4:
        {KILL}
    step(self, stepping)
SRModule._step = _step
"""
IN_VALIDATION = f"""
from sr.training.base import SRModule
validation_step = SRModule.validation_step
def killed(self, batch, batch_idx):
    if self.global_step == 6:
        {KILL}
    return validation_step(self, batch, batch_idx)
SRModule.validation_step = killed
"""
IN_A_WRITE = f"""
import torch
save = torch.save
def half(content, file):
    if content.get("global_step") == 5:
        file.write(b"PK" + bytes(100_000))
        file.flush()
        {KILL}
    save(content, file)
torch.save = half
"""
BETWEEN_TWO_RENAMES = f"""
import sr.callbacks.checkpoints as module
make_room = module.Checkpoints._make_room
def _make_room(self, kind, place):
    make_room(self, kind, place)
    if not (self.directory / "last.ckpt").exists() and (self.directory / "last-1.ckpt").exists():
        import torch
        if torch.load(self.directory / "last-1.ckpt", weights_only=True)["global_step"] == 4:
            {KILL}
module.Checkpoints._make_room = _make_room
"""


def start(run_dir: Path, prelude: str = "", *overrides: str) -> subprocess.CompletedProcess[str]:
    with running(command(run_dir, prelude, *overrides)) as process:
        return finished(process)


def last(run_dir: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def whole(tmp_path: Path, *settings: str) -> dict[str, Any]:
    """The end of a run that nothing happens to."""
    train(compose_config(*small_gan(tmp_path / "whole"), *settings))
    return last(tmp_path / "whole")


@pytest.mark.parametrize(
    "prelude",
    [
        pytest.param(IN_AN_ITERATION, id="in an iteration"),
        pytest.param(IN_A_WRITE, id="while a checkpoint is written"),
        pytest.param(BETWEEN_TWO_RENAMES, id="between two renames", marks=pytest.mark.slow),
        pytest.param(IN_VALIDATION, id="in validation", marks=pytest.mark.slow),
    ],
)
def test_killed_and_resumed_is_as_if_nothing_had_been(tmp_path: Path, photos: Path, prelude: str) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}")
    expected = whole(tmp_path, *settings)
    run_dir = tmp_path / "run"
    done = start(run_dir, prelude, *settings)
    assert done.returncode == -signal.SIGKILL, done.stderr
    train(compose_config(*small_gan(run_dir), *settings, "resume=auto"))
    assert same_state(last(run_dir), expected)
    assert (run_dir / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()
    assert not list((run_dir / "checkpoints").glob(".*"))  # nothing half written is left


def has_rows(run_dir: Path, count: int) -> bool:
    """Whether so many rows are in metrics.csv."""
    file = run_dir / "metrics.csv"
    return file.exists() and len(file.read_text().splitlines()) > count


def interrupted(
    run_dir: Path, send: Callable[[subprocess.Popen[str]], object], *settings: str
) -> subprocess.CompletedProcess[str]:
    """A run without end that is sent something after four rows of metrics."""
    with running(command(run_dir, "", *settings)) as process:
        wait_until(lambda: has_rows(run_dir, 4), process)
        send(process)
        return finished(process)


ENDLESS = ("trainer.max_steps=100000", "scheduler_g.T_max=50", "data.iterations_per_epoch=1000")


@pytest.mark.parametrize(
    ("name", "processes"),
    [
        ("SIGTERM", 1),
        pytest.param("SIGINT", 1, marks=pytest.mark.slow),
        pytest.param("SIGUSR1", 1, marks=pytest.mark.slow),
        pytest.param("SIGTERM", 2, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("heeding_ctrl_c")
def test_a_signal_saves_and_stops_with_a_status_of_its_own(
    tmp_path: Path, photos: Path, name: str, processes: int
) -> None:
    """Sent to the first process alone; the checkpoint is that of the very iteration."""
    settings = (*ENDLESS, f"data.val_dir={photos}", f"trainer.devices={processes}", "data.num_workers=1")
    done = interrupted(
        tmp_path / "run", lambda process: process.send_signal(getattr(signal, name)), *settings
    )
    assert done.returncode == 75, done.stderr
    assert f"{name}: stops when this iteration is saved" in done.stdout
    reached = last(tmp_path / "run")["global_step"]
    assert f"stopped after {reached} iterations, everything is saved: resume=auto goes on" in done.stdout
    settings = (*settings, f"trainer.max_steps={reached + 3}")
    finish(tmp_path / "run", processes, *settings, "resume=auto")
    finish(tmp_path / "whole", processes, *settings)
    assert same_state(last(tmp_path / "run"), last(tmp_path / "whole"), sums=processes == 1)
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "whole"), rel=1e-6 * (processes - 1))


def finish(run_dir: Path, processes: int, *settings: str) -> None:
    if processes == 1:
        train(compose_config(*small_gan(run_dir), *settings))
    else:
        done = start(run_dir, "", *settings)
        assert done.returncode == 0, done.stderr


def losses(run_dir: Path) -> list[float]:
    with (run_dir / "metrics.csv").open(newline="") as file:
        return [float(row["train/loss_g"]) for row in csv.DictReader(file) if row["train/loss_g"]]


def test_a_signal_to_the_whole_group_does_not_kill_the_loaders_first(tmp_path: Path, photos: Path) -> None:
    """As Ctrl-C in a terminal and SLURM send it."""
    settings = (*ENDLESS, f"data.val_dir={photos}", "data.num_workers=2")
    done = interrupted(tmp_path / "run", lambda process: os.killpg(process.pid, signal.SIGTERM), *settings)
    assert done.returncode == 75, done.stderr


@pytest.mark.slow
def test_one_of_two_processes_killed_ends_the_other(tmp_path: Path, photos: Path) -> None:
    prelude = IN_AN_ITERATION.replace("== 4", "== 4 and self.trainer.global_rank == 1")
    done = start(tmp_path / "run", prelude, *ENDLESS, f"data.val_dir={photos}", "trainer.devices=2")
    assert done.returncode == 1, done.stderr
    assert "of this run has ended" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, photos: Path) -> None:
    """Files may grow to three quarters of a checkpoint from the third one on."""
    prelude = """
import resource
import sr.callbacks.checkpoints as module
save = module.Checkpoints._save
def _save(self, trainer, kind, place):
    if trainer.global_step == 3:
        size = (self.directory / "last.ckpt").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size * 3 // 4, size * 3 // 4))
    save(self, trainer, kind, place)
module.Checkpoints._save = _save
"""
    settings = (*SETTINGS, f"data.val_dir={photos}")
    done = start(tmp_path / "run", prelude, *settings)
    assert done.returncode == 1, done.stderr
    assert f"error: {tmp_path}/run/checkpoints/.last.part: File too large" in done.stderr
    assert sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir()) == [
        "last-1.ckpt",
        "last.ckpt",
    ]
    assert last(tmp_path / "run")["global_step"] == 2
    train(compose_config(*small_gan(tmp_path / "run"), *settings, "resume=auto"))
    assert same_state(last(tmp_path / "run"), whole(tmp_path, *settings))


POISON = """
from sr.data.sampler import EndlessSampler
from sr.data.patches import TrainingPatches
get = TrainingPatches.__getitem__
def poisoned(self, draw):
    item = get(self, draw)
    if {low} <= draw.seed[1] < {high}:
        item["lr"] = item["lr"] * float("nan")
    return item
TrainingPatches.__getitem__ = poisoned
"""


def test_bad_numbers_in_a_row_stop_a_run_that_says_why(tmp_path: Path, photos: Path) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    done = start(tmp_path / "run", POISON.format(low=8, high=99), *settings)
    assert done.returncode == 1, done.stderr
    assert "iteration 5: a loss or gradient is not finite (here; rank 0 has l1=nan" in done.stdout
    assert "error: iteration 6: a loss or gradient is not finite" in done.stderr
    assert "learning_rate_g=0.00" in done.stderr
    assert last(tmp_path / "run")["global_step"] == 4  # none of those whose numbers were bad
    saved = torch.load(tmp_path / "run" / "diverged" / "iteration-6-rank-0.pt", weights_only=True)
    assert saved["learning_rate_g"] > 0
    assert saved["batch"]["lr"].isnan().all()


def test_rolling_back_once(tmp_path: Path, photos: Path) -> None:
    settings = (*SETTINGS, f"data.val_dir={photos}", "callbacks.divergence.patience=2")
    poison = POISON.format(low=8, high=12)
    done = start(tmp_path / "run", poison, *settings, "on_divergence=rollback")
    assert done.returncode == 0, done.stderr
    assert "last.ckpt of iteration 4, with 0.5 of the learning rates" in done.stdout
    rates = {group["lr"] for group in last(tmp_path / "run")["optimizer_states"][0]["param_groups"]}
    full = {group["lr"] for group in whole(tmp_path, *settings)["optimizer_states"][0]["param_groups"]}
    assert [2 * rate for rate in rates] == pytest.approx(list(full), rel=1e-3)  # but for eta_min
    again = start(tmp_path / "twice", POISON.format(low=8, high=99), *settings, "on_divergence=rollback")
    assert again.returncode == 1
    assert "error: iteration 8: a loss or gradient is not finite" in again.stderr


def torchrun(run_dir: Path, port: int, *settings: str) -> list[str]:
    """As on one of two machines."""
    options = [
        "--nnodes=2",
        "--nproc-per-node=1",
        "--max-restarts=2",
        "--rdzv-id=job7",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint=127.0.0.1:{port}",
    ]
    overrides = [each for each in small_gan(run_dir) if not each.startswith("run_dir")]
    program = ["train.py", *overrides, f"hydra.run.dir={run_dir}", "trainer.num_nodes=2", *settings]
    return [sys.executable, "-m", "torch.distributed.run", *options, *program]


def free_port() -> int:
    """Below those that the system gives away by itself, so that nobody gets it before it is used."""
    for port in range(20000 + os.getpid() % 10000, 32000):
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_dies_under_torchrun_starts_again_from_the_last_checkpoint(
    tmp_path: Path, photos: Path
) -> None:
    settings = (f"data.val_dir={photos}", "trainer.max_steps=90", "data.iterations_per_epoch=30")
    settings += ("callbacks.checkpoints.every_n_iterations=5", "resume=auto")
    run_dir = tmp_path / "run"
    start_one = partial(
        running,
        torchrun(run_dir, free_port(), *settings),
        env=os.environ | {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
    )
    with start_one() as first, start_one() as second:
        wait_until(lambda: has_rows(run_dir, 8), first)
        (worker,) = Path(f"/proc/{second.pid}/task/{second.pid}/children").read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        done = [finished(agent) for agent in (first, second)]
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    assert any("resumes " in each.stdout + each.stderr for each in done)
    finish(tmp_path / "whole", 2, *settings, "trainer.devices=2")
    assert same_state(last(run_dir), last(tmp_path / "whole"), sums=False)


def test_an_image_truncated_behind_its_header_is_named(tmp_path: Path, photos: Path) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])
    settings = [each for each in SETTINGS if "max_steps" not in each] + ["trainer.max_steps=50"]
    folder = ["data=folder", f"data.train_dir={photos}", "data.num_workers=1", "data.small_images=pad"]
    overrides = [
        each
        for each in small_gan(tmp_path)
        if not each.startswith(("data.num_im", "data.image_s", "run_dir"))
    ]
    done = run_program("train.py", *overrides, *settings, *folder, f"hydra.run.dir={tmp_path}/run")
    assert done.returncode == 1
    assert f"error: {photos}/b.png: truncated or damaged (" in done.stderr
    assert "Traceback" not in done.stderr
