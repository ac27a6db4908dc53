import os
from pathlib import Path

import pytest
import wandb
from helpers import run_program
from wandb_record import WandbRecord

from sr.loggers.wandb import OfflineFirstWandbLogger, keep_copies_in


def test_a_run_without_an_account_is_offline_and_asks_for_nothing(tmp_path: Path) -> None:
    program = f"""
from sr.loggers.wandb import OfflineFirstWandbLogger, keep_copies_in
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


def test_the_former_name_of_the_mode_is_offline_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "dryrun")  # as Lightning sets it
    assert OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")._offline


def test_what_lightning_and_wandb_take_goes_through(tmp_path: Path) -> None:
    logger = OfflineFirstWandbLogger(
        save_dir=str(tmp_path),
        project="p",
        name="n",
        entity="team",
        group="g",
        job_type="j",
        tags=["one", "two"],
        notes="why",
        id="ab12",
        save_code=True,
        settings={"console": "off"},
    )
    given = {key: logger._wandb_init[key] for key in ("entity", "group", "job_type", "tags", "notes", "id")}
    expected = ("team", "g", "j", ["one", "two"], "why", "ab12")
    assert given == dict(zip(given, expected, strict=True))
    assert logger._wandb_init["save_code"] is True
    assert logger._wandb_init["settings"].console == "off"
    assert logger._wandb_init["settings"].silent  # offline still


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tagz": ["x"]}, "logger.wandb.tagz: W&B has no such argument; it has .*tags"),
        ({"log_model": "last"}, "logger.wandb.log_model=last: choose one of none, best, all"),
    ],
)
def test_what_nobody_takes_is_named(tmp_path: Path, wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n", **wrong)


def test_a_sweep_names_its_jobs_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_NAME", "n 3 lr=0.1")
    assert (
        OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")._wandb_init["name"]
        == "n 3 lr=0.1"
    )


def test_copies_of_an_offline_run_stay_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    keep_copies_in(tmp_path / "one")
    keep_copies_in(tmp_path / "two")  # the next run of this process
    assert os.environ["WANDB_DATA_DIR"] == str(tmp_path / "two")
    monkeypatch.setenv("WANDB_DATA_DIR", "/elsewhere")  # the user's choice
    keep_copies_in(tmp_path / "three")
    assert os.environ["WANDB_DATA_DIR"] == "/elsewhere"


def finished_run(folder: Path, status: str = "success") -> str:
    """The id of a run that a logger has opened and, as Lightning does at the end, closed."""
    logger = OfflineFirstWandbLogger(save_dir=str(folder), project="p", name="n")
    logger.log_metrics({"train/loss_g": 1.0}, step=3)
    number = str(logger.experiment.id)
    logger.finalize(status)
    assert wandb.run is None
    return number


def test_two_trainings_of_one_process_are_two_runs(tmp_path: Path) -> None:
    one, two = finished_run(tmp_path / "one"), finished_run(tmp_path / "two")
    assert one != two
    for folder, number in (("one", one), ("two", two)):
        assert list((tmp_path / folder).glob(f"wandb/offline-run-*-{number}/run-{number}.wandb"))


@pytest.mark.parametrize(("status", "code"), [("success", 0), ("failed", 1)])
def test_a_run_ends_as_its_training_does(tmp_path: Path, status: str, code: int) -> None:
    finished_run(tmp_path, status)
    (exit_record,) = WandbRecord(tmp_path).of("exit")
    assert exit_record.exit_code == code


def test_what_is_logged_after_the_end_goes_on_under_the_same_id(tmp_path: Path) -> None:
    logger = OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")
    logger.log_metrics({"val/psnr_y": 30.0}, step=3)
    number = logger.experiment.id
    logger.finalize("success")
    logger.log_metrics({"val/psnr_y": 31.0}, step=6)
    assert logger.experiment.id == number
    logger.finalize("success")
    assert wandb.run is None


def test_a_run_of_the_users_own_stays_open(tmp_path: Path) -> None:
    mine = wandb.init(dir=str(tmp_path), mode="offline", settings=wandb.Settings(silent=True))
    try:
        logger = OfflineFirstWandbLogger(save_dir=str(tmp_path), project="p", name="n")
        with pytest.warns(UserWarning, match="run already in progress"):
            logger.log_metrics({"train/loss_g": 1.0}, step=3)
        assert logger.experiment is mine
        logger.finalize("success")
        assert wandb.run is mine
    finally:
        mine.finish()
