"""sr-align on folders of pairs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import run_here
from PIL import Image
from scenes import write_scene
from shifted_pairs import pair

from sr.commands.align import parse
from sr.data.exclusion import without
from sr.data.sources import ImageFiles
from sr.pictures.reading import read_image, read_picture
from sr.pictures.writing import write_png
from sr.programs.align import run

SHIFTS = {"good": (0.0, 0.0), "deep/far": (-1.3, 2.4), "half": (0.5, 0.5)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pairs and one that is flat."""
    for name, shift in SHIFTS.items():
        hr, lr = pair(*shift)
        write_png(tmp_path / "hr" / f"{name}.png", hr)
        write_png(tmp_path / "lr" / f"{name}x4.png", lr)
    write_png(tmp_path / "hr" / "sky.png", np.full((400, 512, 3), 200, np.uint8))
    write_png(tmp_path / "lr" / "sky.png", np.full((100, 128, 3), 200, np.uint8))
    return tmp_path


def pairs_of(folder: Path) -> list[tuple[Path, Path]]:
    return list(zip(*(sorted((folder / side).rglob("*.png")) for side in ("hr", "lr")), strict=True))


def align(folder: Path, *options: object) -> int:
    words = [folder / "hr", folder / "lr", "--workers", 1, *options]
    return run(parse([str(each) for each in words]))


def test_all_pairs_are_measured_and_the_worst_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert align(folder) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "4 pairs at x4: 1 aligned, 2 shifted, 1 undecided"
    assert out[1].startswith("LR and HR are 0.7") and out[1].endswith(
        "; aligned is up to 0.125 (half an HR pixel)"
    )
    assert [line.split()[:2] for line in out[4:7]] == [
        ["deep/far.png", "shifted"],
        ["half.png", "shifted"],
        ["sky.png", "undecided"],
    ]
    down, right, apart, error, uneven = map(float, out[4].split()[2:])
    assert (down, right) == pytest.approx((-1.3, 2.4), abs=0.03)
    assert apart == pytest.approx(np.hypot(1.3, 2.4), abs=0.03)
    assert error <= 0.02 and uneven == 0
    assert out[-1] == f"next: sr-align {folder / 'hr'} {folder / 'lr'} --scale 4 --out DIR"
    assert sorted(each.name for each in folder.iterdir()) == ["hr", "lr"]


def test_aligned_pairs_are_status_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("deep/far", "half", "sky"):
        for file in folder.glob(f"*/{name}*"):
            file.unlink()
    assert align(folder) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "1 pair at x4: 1 aligned" and len(out) == 2


def test_what_is_written_is_aligned_and_what_is_left_out_is_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "new"
    assert align(folder, "--out", out) == 1
    said = capsys.readouterr().out
    assert f"3 pairs written to {out / 'HR'} and {out / 'LR'}, 2 moved, 1 in their place: now 0.0" in said
    assert (
        f"next: sr-train data=paired data.train_dir={out / 'HR'} data.train_lr_dir={out / 'LR'} scale=4"
        in said
    )
    written = sorted(each.relative_to(out).as_posix() for each in out.rglob("*.*"))
    assert written == [
        *("HR/deep/far.png", "HR/good.png", "HR/half.png"),
        *("LR/deep/farx4.png", "LR/goodx4.png", "LR/halfx4.png", "left_out.txt"),
    ]
    np.testing.assert_array_equal(read_image(out / "HR" / "good.png"), read_image(folder / "hr" / "good.png"))
    # 1.3 LR pixels up, 2.4 to the right: the last two rows and the first three columns of LR have no HR.
    np.testing.assert_array_equal(
        read_image(out / "LR" / "deep" / "farx4.png"),
        read_image(folder / "lr" / "deep" / "farx4.png")[:-2, 3:],
    )
    assert run(parse([str(out / "HR"), str(out / "LR"), "--workers", "1"])) == 0
    images = ImageFiles.from_directory(folder / "hr")
    assert (
        out / "left_out.txt"
    ).read_text() == "sky.png  # undecided: too flat, too small or too unlike to say\n"
    assert [each.name for each in without(images, str(out / "left_out.txt")).paths] == [
        "far.png",
        "good.png",
        "half.png",
    ]


def test_nothing_is_overwritten(folder: Path) -> None:
    write_png(folder / "new" / "LR" / "mine.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(
        ValueError, match=r"^--out .*new: .*LR is there already: remove it, or name another folder$"
    ):
        align(folder, "--out", folder / "new")
    (folder / "new" / "LR" / "mine.png").unlink()
    (folder / "new" / "HR").write_text("a file")
    with pytest.raises(ValueError, match=r"HR is there already"):
        align(folder, "--out", folder / "new")


def test_histograms_are_matched_band_by_band(tmp_path: Path) -> None:
    hr, lr = pair(0.5, 0.5)
    other = np.clip(lr * np.array([0.5, 0.8, 1.0]) + [60, 20, 0], 0, 255).round().astype(np.uint8)
    write_png(tmp_path / "hr" / "a.png", hr)
    write_png(tmp_path / "lr" / "a.png", other)
    assert align(tmp_path, "--out", tmp_path / "plain") == 0
    assert align(tmp_path, "--out", tmp_path / "matched", "--match-histograms") == 0
    plain, matched = (
        read_image(tmp_path / name / "HR" / "a.png").astype(float) for name in ("plain", "matched")
    )
    wanted = plain * np.array([0.5, 0.8, 1.0]) + [60, 20, 0]
    assert np.abs(plain - wanted).mean() > 8
    assert np.abs(matched - wanted).mean() < 2


def test_a_jpeg_becomes_png_and_a_tiff_stays_one(tmp_path: Path) -> None:
    hr, lr = pair(0.5, 0.0)
    (tmp_path / "hr").mkdir()
    Image.fromarray(hr).save(tmp_path / "hr" / "a.jpg", quality=95)
    write_png(tmp_path / "lr" / "a.png", lr)
    deep_hr, deep_lr = (each.astype(np.int16) * 40 - 5000 for each in (hr, lr))
    deep_hr[200:220, 300:340] = -9999
    write_scene(tmp_path / "hr" / "b.tif", deep_hr, nodata=-9999.0)
    write_scene(tmp_path / "lr" / "b.tif", deep_lr, nodata=-9999.0)
    alpha = np.full((*hr.shape[:2], 1), 255, np.uint8)
    alpha[:100] = 0
    order = np.concatenate([hr[:, :, ::-1], alpha], axis=2)
    assert cv2.imwrite(str(tmp_path / "hr" / "c.png"), order)
    write_png(tmp_path / "lr" / "c.png", lr)
    assert align(tmp_path, "--out", tmp_path / "new") == 0
    new = tmp_path / "new"
    assert sorted(each.name for each in (new / "HR").iterdir()) == ["a.png", "b.tif", "c.png"]
    tiff = read_picture(new / "HR" / "b.tif")
    assert (tiff.colour.dtype, tiff.nodata) == (np.int16, -9999)
    missing = np.zeros(tiff.colour.shape, bool)
    missing[198:218, 300:340] = True  # moved up by the first LR pixel of four, and down by two HR pixels
    np.testing.assert_array_equal(tiff.colour == -9999, missing)
    np.testing.assert_array_equal(read_picture(new / "LR" / "b.tif").colour, deep_lr[1:])
    transparent = read_picture(new / "HR" / "c.png")
    assert transparent.alpha is not None
    np.testing.assert_array_equal(transparent.alpha[:, 0, 0] == 0, np.arange(508) < 98)
    np.testing.assert_array_equal(transparent.colour[100:], hr[102:510])


def test_what_cannot_be_right_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hr, lr = str(folder / "hr"), str(folder / "lr")
    for large, small in pairs_of(folder):
        small.rename(folder / "lr" / large.relative_to(folder / "hr"))
    with pytest.raises(ValueError, match=r"pixels do not differ by scale=2$"):
        align(folder, "--scale", 2)
    for wrong in (["--match-histograms"], ["--scale", "0"], ["--workers", "0"]):
        with pytest.raises(SystemExit) as ended:
            parse([hr, lr, *wrong])
        assert ended.value.code == 2
    assert "nothing is written: name a folder with --out DIR" in capsys.readouterr().err
    write_png(folder / "lr" / "good.png", read_image(folder / "lr" / "good.png", channels=1))
    with pytest.raises(
        ValueError, match=r"good\.png has 3 band\(s\) of uint8, and .*good\.png has 1 of uint8"
    ):
        align(folder, "--out", folder / "new", "--match-histograms")
    assert not (folder / "new").exists()


def test_a_broken_file_is_one_of_the_pairs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = folder / "hr" / "half.png"
    broken.write_bytes(broken.read_bytes()[:5000])
    assert align(folder, "--out", folder / "new") == 1
    out = capsys.readouterr().out
    assert out.startswith("4 pairs at x4: 1 aligned, 1 shifted, 1 undecided, 1 unreadable\n")
    listed = (folder / "new" / "left_out.txt").read_text().splitlines()
    assert listed[0].startswith(f"half.png  # unreadable: {broken}: truncated or damaged")


def test_the_command_ends_with_the_status_and_one_message(folder: Path) -> None:
    done = run_here("-m", "sr.commands.align", str(folder / "hr"), str(folder / "nowhere"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: image directory {folder / 'nowhere'} does not exist")
    for name in ("good", "half"):
        (folder / "lr" / f"{name}x4.png").rename(folder / "lr" / f"small-{name}.png")
    for name in ("deep/far", "sky"):
        for file in folder.glob(f"*/{name}*"):
            file.unlink()
    words = [str(folder / "hr"), str(folder / "lr"), "--workers", "2", "--lr-name", "small-{name}"]
    done = run_here("-m", "sr.commands.align", *words)
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, "2 pairs at x4: 1 aligned, 1 shifted")
    assert done.stdout.endswith("--scale 4 --lr-name 'small-{name}' --out DIR\n")
