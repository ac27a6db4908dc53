"""Protocols of a user's own, from wherever Hydra finds them."""

import json
from pathlib import Path

import pytest
from evaluation_runs import chosen_protocol, evaluate_into
from helpers import compose_config, run_here

from sr.cli.choices import changed_keys

MINE = """\
# @package _global_
defaults:
  - esrgan_paper
  - _self_
protocol: mine
metric:
  crop_border: 2
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A directory of configurations with a protocol that is made from a shipped one."""
    folder = tmp_path / "my_conf" / "protocol"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(MINE)
    return folder.parent


def test_the_program_takes_one_from_a_directory(tmp_path: Path, photos: Path, conf: Path) -> None:
    settings = ["protocol=mine", "metric.round_luma=true", "ckpt=bicubic", f"hr_dir={photos}/deep"]
    done = run_here(
        "evaluate.py", "--config-dir", str(conf), *settings, f"out_dir={tmp_path}/out", "report_images=0"
    )
    assert done.returncode == 0, done.stderr
    assert "protocol mine, but with metric.round_luma=True: PSNR in dB and SSIM on y (" in done.stdout
    assert "border of 2 pixels cut" in " ".join(done.stdout.split())
    protocol = json.loads((tmp_path / "out" / "metrics.json").read_text())["protocol"]
    assert (protocol["name"], protocol["changed"]) == ("mine", ["metric.round_luma=True"])


@pytest.mark.parametrize("scheme", ["file://", "pkg://"])
def test_one_from_the_search_path(conf: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    place = str(conf)
    if scheme == "pkg://":
        for folder in (conf, conf / "protocol"):
            (folder / "__init__.py").touch()
        monkeypatch.syspath_prepend(str(conf.parent))
        place = conf.name
    overrides = [f"hydra.searchpath=[{scheme}{place}]", "protocol=mine", "scale=4"]
    protocol = chosen_protocol(*overrides)
    # What it takes from the protocol it is made from belongs to it, and its own value wins.
    assert protocol.settings == {
        "protocol": "mine",
        "metric": {"spaces": ["y"], "crop_border": 2, "round_luma": False, "mse": False},
    }
    cfg = compose_config(*overrides, program="evaluate")
    assert changed_keys(cfg, protocol.settings) == []
    cfg = compose_config(*overrides, "metric.crop_border=0", "metric.mse=true", program="evaluate")
    assert changed_keys(cfg, protocol.settings) == ["metric.crop_border=0", "metric.mse=True"]


def test_a_key_that_was_removed_is_changed(conf: Path) -> None:
    overrides = ["protocol=esrgan_paper", "~metric.mse", "scale=4"]
    cfg = compose_config(*overrides, program="evaluate")
    assert changed_keys(cfg, chosen_protocol(*overrides).settings) == ["~metric.mse"]


def test_one_that_goes_by_the_name_of_another_is_refused_before_any_work(
    tmp_path: Path, photos: Path, conf: Path
) -> None:
    (conf / "protocol" / "mine.yaml").write_text(MINE.replace("protocol: mine\n", ""))
    settings = [f"hydra.searchpath=[file://{conf}]", "protocol=mine", "ckpt=bicubic", f"hr_dir={photos}"]
    with pytest.raises(
        ValueError, match="must hold the line `protocol: mine`; the configuration has protocol=esrgan_paper"
    ):
        evaluate_into(tmp_path, *settings)
    assert not (tmp_path / "out").exists()
