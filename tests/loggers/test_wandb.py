import os
from pathlib import Path

import pytest
from helpers import run_program

from sr.loggers.wandb import OfflineFirstWandbLogger, logged_in


def test_logged_in_by_key_or_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_BASE_URL", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine elsewhere login user password x\n")
    os.chmod(tmp_path / "netrc", 0o600)
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    assert logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")  # a server of one's own
    assert not logged_in()
    (tmp_path / "netrc").write_text("machine wandb.example.org login user password x\n")
    assert logged_in()
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert not logged_in()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert logged_in()


def test_a_run_without_an_account_is_offline_and_asks_for_nothing(tmp_path: Path) -> None:
    program = f"""
from sr.loggers.wandb import OfflineFirstWandbLogger
logger = OfflineFirstWandbLogger(save_dir={str(tmp_path)!r}, project="p", name="n")
logger.log_metrics({{"train/loss_g": 1.0}}, step=3)
logger.experiment.finish()
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    environment |= {"HOME": str(tmp_path), "NETRC": str(tmp_path / "none")}
    done = run_program("-c", program, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""  # the end of the run says where it lies
    assert list(tmp_path.glob("wandb/offline-run-*/run-*.wandb"))


def test_a_resumed_run_goes_on_under_the_same_id(tmp_path: Path) -> None:
    logger = OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")
    logger.rewind(5)  # nothing is there yet
    assert not logger._wandb_init.get("id")
    (tmp_path / "wandb" / "offline-run-20260101_000000-ab12cd34").mkdir(parents=True)
    (tmp_path / "wandb" / "latest-run").symlink_to("offline-run-20260101_000000-ab12cd34")
    logger.rewind(5)
    assert logger._wandb_init["id"] == "ab12cd34"
    assert logger._wandb_init["resume"] == "allow"


def test_lightning_passes_nothing_that_wandb_has_taken_out(tmp_path: Path) -> None:
    assert (
        "anonymous" not in OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")._wandb_init
    )


def test_an_online_run_says_where_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    logger = OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")
    assert logger._wandb_init["settings"] is None
