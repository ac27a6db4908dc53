"""The program, from the folder to the list."""

from pathlib import Path

import numpy as np
import pytest
from helpers import run_here

from sr.commands.check import parse
from sr.pictures.writing import write_png
from sr.programs.check import run, wanted_by


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for number in range(8):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        write_png(root / "deep" / f"{number}.png", noise)
    (root / "deep" / "1.png").write_bytes((root / "deep" / "1.png").read_bytes()[:4000])
    (root / "z.png").write_bytes((root / "deep" / "0.png").read_bytes())
    write_png(root / "flat #1.png", np.full((40, 64, 3), 9, np.uint8))
    return root


def check(folder: Path, *options: str) -> int:
    return run(parse([str(folder), "data.hr_patch_size=64", "--workers", "1", *options]))


def test_counts_files_and_a_list(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(folder, "--out", str(tmp_path / "bad.txt")) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[:7] == [
        "for image_enhancement: channels=3, data.hr_patch_size=64 (images of 64 pixels or more)",
        "10 images, 3 that training should not use",
        "  unreadable       1",
        "  tiny             1",
        "  low detail       1",
        "  duplicate        1",
        "  odd mode         0",
    ]
    assert any(line.startswith("  deep/1.png   truncated or damaged (") for line in out)
    assert "  z.png   of deep/0.png" in out
    unreadable, *others = (tmp_path / "bad.txt").read_text().splitlines()
    assert unreadable.startswith("deep/1.png  # unreadable: truncated or damaged (")
    assert others == [
        "flat #1.png  # tiny: 64 x 40, less than a patch of 64; low detail: 0.00, less than 3.0",
        "z.png  # duplicate: of deep/0.png",
    ]


def test_nothing_found_is_status_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("deep/1.png", "z.png", "flat #1.png"):
        (folder / name).unlink()
    assert check(folder) == 0
    assert "\n7 images, 0 that training should not use\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("overrides", "channels", "smallest"),
    [
        ([], 3, 384),
        (["experiment=quickstart"], 3, 96),
        (["experiment=quickstart", "data.hr_patch_size=128", "channels=1"], 1, 128),
        (["experiment=realesrgan", "data.small_images=pad"], 3, 0),
        (["data=samples"], 3, 0),  # which are mirrored
        (["data=paired"], 3, 384),
    ],
)
def test_a_small_image_is_one_that_the_recipe_refuses(
    overrides: list[str], channels: int, smallest: int
) -> None:
    wanted = wanted_by(overrides)
    assert (wanted.channels, wanted.smallest) == (channels, smallest)


def test_an_experiment_of_ones_own_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "my conf" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nname: mine\ndata:\n  hr_patch_size: 72\n"
    (tmp_path / "my conf" / "experiment" / "mine.yaml").write_text(text)
    wanted = wanted_by(["experiment=mine"], config_dir=tmp_path / "my conf")
    assert wanted.smallest == 72
    assert wanted.words.startswith("for mine: ")


def test_errors_and_usage(tmp_path: Path) -> None:
    done = run_here("-m", "sr.commands.check", str(tmp_path / "nowhere"))
    assert done.returncode == 1
    assert "does not exist" in done.stderr
    done = run_here("-m", "sr.commands.check", str(tmp_path), "data.patch=4")
    assert done.stderr.startswith("error: there is no key data.patch")
    assert "Traceback" not in done.stderr
    with pytest.raises(SystemExit) as stopped:
        parse([str(tmp_path), "--workers", "0"])
    assert stopped.value.code == 2
