"""Our layout of panels in W&B, built by W&B's library without a server."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from sr.commands.workspace import parse
from sr.loggers.workspace.layout import validation_panels
from sr.programs import workspace as program


def sections(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["spec"]["section"]["panelBankConfig"][
        "sections"
    ]
    return found


def test_sections_stand_in_the_order_in_which_one_reads_them(tmp_path: Path) -> None:
    program.run(parse(["me/project", "--json", str(tmp_path / "view.json")]))
    found = sections(tmp_path / "view.json")
    assert [section["name"] for section in found] == ["train", "val", "health", "system"]
    for section in found[:3]:
        lines = [
            panel["config"] for panel in section["panels"] if panel["viewType"] == "Run History Line Plot"
        ]
        assert lines
        assert {line["xAxis"] for line in lines} == {"iteration"}
    (psnr, *_) = found[1]["panels"]
    assert psnr["config"]["metrics"] == ["val/psnr_y", "val/bicubic_psnr_y"]


def test_the_metric_of_the_run_is_shown(tmp_path: Path) -> None:
    program.run(parse(["me/project", "--monitor", "psnr_channels", "--json", str(tmp_path / "view.json")]))
    text = (tmp_path / "view.json").read_text()
    assert "val/bicubic_psnr_channels" in text
    assert "psnr_y" not in text
    assert [title for title, _ in validation_panels("lpips")] == [
        "lpips",
        "losses in the middle of the images",
    ]


@pytest.mark.parametrize("project", ["me", "me/", "me/a/b"])
def test_a_project_without_its_owner_is_refused(project: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([project])
    assert f"{project}: write ENTITY/PROJECT" in capsys.readouterr().err


def test_a_view_needs_an_account_and_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "logged_in", lambda: False)
    with pytest.raises(RuntimeError, match="needs an account: wandb login"):
        program.run(parse(["me/project"]))
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    with pytest.raises(RuntimeError, match=r"pip install 'sr-lightning\[workspace\]'"):
        program.run(parse(["me/project"]))
