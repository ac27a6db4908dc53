"""A program is named as its user has started this one."""

import sys
from pathlib import Path

import pytest
from helpers import ROOT

from sr.ops.program_names import to_start, to_type


def test_beside_the_file_that_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert to_type("evaluate") == ["python", "evaluate.py"]
    assert to_type("export") == ["sr-export"]  # which has no file
    assert to_start("train") == [sys.executable, str(ROOT / "train.py")]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sr-lightning").symlink_to(ROOT)
    monkeypatch.setattr(sys, "argv", ["sr-lightning/train.py"])
    assert to_type("evaluate") == ["python", "sr-lightning/evaluate.py"]


@pytest.mark.parametrize(
    "started", ["/env/bin/sr-train", str(ROOT / "sr" / "commands" / "train.py"), "", "train.py"]
)
def test_the_installed_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: str) -> None:
    """Also for a train.py of the user's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [started])
    assert to_type("evaluate") == ["sr-evaluate"]
    assert to_start("train") == [sys.executable, "-m", "sr.commands.train"]
