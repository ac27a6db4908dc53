"""A process that dies under torchrun starts again from the last checkpoint."""

import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from helpers import same_state, small_gan
from processes import finished, running, wait_until
from small_runs import finish, has_rows, last


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
