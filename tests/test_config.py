"""The front door: what a user reads when something cannot be, and `--cfg`."""

import os
import runpy
import sys
from pathlib import Path

import pytest
from helpers import ROOT, compose_config, run_here

from sr.cli.errors import MARK, readable_errors
from sr.config import TrainConfig, check_least, check_root_keys

WHERE_THE_TRACEBACK_IS = "(HYDRA_FULL_ERROR=1 shows the traceback)"


def test_a_number_below_what_it_can_be_is_named() -> None:
    cfg = compose_config("seed=0", "channels=0", "cpu_threads=null")
    check_least(cfg, seed=0, cpu_threads=1)
    with pytest.raises(ValueError, match="channels=0 must be 1 or more"):
        check_least(cfg, seed=0, channels=1)


def test_a_root_key_that_was_added_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown root key\(s\) foo: choose from name, seed"):
        check_root_keys(compose_config("+foo=1"), TrainConfig)


def test_one_message_and_status_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended, readable_errors():
        (tmp_path / "none").read_text()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/none: No such file or directory\n")


def test_one_within_another_changes_nothing_outside(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), readable_errors():
        with readable_errors():
            assert os.environ[MARK] == "1"
        assert os.environ["HYDRA_FULL_ERROR"] == "1"  # or Hydra would print what comes now in its own way
        with readable_errors():
            (tmp_path / "none").read_text()
    assert capsys.readouterr().err.count("error: ") == 1
    assert "HYDRA_FULL_ERROR" not in os.environ
    assert MARK not in os.environ


def test_who_asks_for_the_traceback_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(FileNotFoundError), readable_errors(), readable_errors():
        (tmp_path / "none").read_text()


PROGRAMS = {"train.py": ROOT / "train.py", "evaluate.py": ROOT / "evaluate.py"}
NEEDED = {"train.py": ["hydra.run.dir=run", "loss=l1"], "evaluate.py": [], "preview.py": ["hr_dir=."]}
PROGRAMS["sr-preview"] = ROOT / "sr" / "commands" / "preview.py"


@pytest.mark.parametrize("file", PROGRAMS.values(), ids=PROGRAMS)
def test_what_hydra_cannot_compose_is_one_message(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for argument, message in (
        (
            "x=/photos [x]=1",
            "x=/photos [x]=1: Hydra cannot read this value; write 'x=\"/photos [x]=1\"' (the outer quotes are for the"
            " shell, the inner ones for Hydra)",
        ),
        ("sede=1", "there is no key sede: did you mean seed?"),
    ):
        monkeypatch.setattr(sys, "argv", [str(file), argument])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(file), run_name="__main__")
        assert ended.value.code == 1
        assert capsys.readouterr().err.splitlines() == [f"error: {message}", WHERE_THE_TRACEBACK_IS]


@pytest.mark.parametrize("file", PROGRAMS.values(), ids=PROGRAMS)
def test_what_our_function_refuses_is_one_message(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hydra would put a line with all overrides before it."""
    monkeypatch.chdir(tmp_path)
    done = run_here(str(file), "channels=0", *NEEDED[file.name])
    assert done.stderr.splitlines() == ["error: channels=0 must be 1 or more", WHERE_THE_TRACEBACK_IS]
    assert done.returncode == 1


@pytest.mark.parametrize("file", PROGRAMS.values(), ids=PROGRAMS)
def test_the_composed_configuration_can_be_looked_at(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["job", "--resolve"], ["all"], ["job", "--package", "degradation"]):
        monkeypatch.setattr(sys, "argv", [str(file), "--cfg", *arguments])
        runpy.run_path(str(file), run_name="__main__")
        shown = capsys.readouterr().out
        assert "_target_: sr.degradations." in shown
        assert "--resolve" not in arguments or "${" not in shown


def test_where_a_run_would_land_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "--cfg", "job", "--resolve", "hydra.run.dir=runs/here"])
    runpy.run_path(str(ROOT / "train.py"), run_name="__main__")
    assert f"\nrun_dir: {tmp_path}/runs/here\n" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()
