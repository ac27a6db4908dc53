"""What `sr-preview` writes, and that its records lead to the same pixels."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from helpers import compose_config, picture, run_here

from sr.degradations.record import VERSION, Record
from sr.ops.image import quantize, to_float
from sr.pictures.reading import read_image
from sr.pictures.writing import write_png
from sr.programs import preview as program
from sr.programs.preview import check, preview, refuse_other_keys, replay


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "DRAWS", 60)


def show(tmp_path: Path, *overrides: str, degradation: str = "mild", out: str = "out") -> dict[str, Any]:
    """Run it; what records.json holds."""
    where = [f"hr_dir={tmp_path}/photos", f"out_dir={tmp_path}/{out}"]
    small = ["count=5", "hr_patch_size=32", f"degradation={degradation}"]
    preview(compose_config(*where, *small, *overrides, program="preview"))
    content: dict[str, Any] = json.loads((tmp_path / out / "records.json").read_text())
    return content


def again(tmp_path: Path) -> str:
    where = [f"replay={tmp_path}/out/records.json", f"hr_dir={tmp_path}/photos", f"out_dir={tmp_path}/again"]
    return replay(compose_config(*where, program="preview"))


def edit(tmp_path: Path, **values: Any) -> None:
    """Change the first sample of records.json."""
    path = tmp_path / "out" / "records.json"
    content = json.loads(path.read_text())
    content["samples"][0] |= values
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("degradation", ["realesrgan", "bsrgan", "mild", "aliased", "bicubic"])
def test_four_files_are_written_and_replay_draws_the_same_sheet(
    tmp_path: Path, photos: Path, degradation: str
) -> None:
    content = show(tmp_path, degradation=degradation)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "sheet.png",
        "histograms.png",
        "records.json",
        "timing.json",
    }
    assert len({sample["file"] for sample in content["samples"]}) == 4  # of five samples of four images
    sheet = read_image(tmp_path / "out" / "sheet.png")
    assert sheet.shape[1] == 20 + 4 * (256 + 4 + 256 + 20)
    assert sheet.shape[0] > 2 * 256
    assert read_image(tmp_path / "out" / "histograms.png").shape[1] == 1500
    assert again(tmp_path).startswith("all 5 samples give the recorded LR")
    assert (tmp_path / "again" / "sheet.png").read_bytes() == (tmp_path / "out" / "sheet.png").read_bytes()


def test_records_alone_give_the_lr_that_the_sheet_shows(tmp_path: Path, photos: Path) -> None:
    content = show(tmp_path, "scale=2", "seed=3", degradation="realesrgan")
    sheet = read_image(tmp_path / "out" / "sheet.png")
    margin = content["margin"]
    for number, sample in enumerate(content["samples"][:4]):  # the first row
        image = to_float(read_image(photos / sample["file"]))
        assert image.shape[:2] == (sample["height"], sample["width"])
        padded = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
        window = padded[sample["top"] :, sample["left"] :][: 32 + 2 * margin, : 32 + 2 * margin]
        lr = Record.from_json(json.dumps(sample["record"])).apply(window)
        lr = lr[margin // 2 : -margin // 2, margin // 2 : -margin // 2]
        levels = (lr * 255).round().astype(np.uint8)
        assert hashlib.sha256(levels.tobytes()).hexdigest() == sample["lr_sha256"]
        hr = (quantize(window[margin:-margin, margin:-margin]) * 255).round().astype(np.uint8)
        left = 20 + number * 536
        shown = sheet[:, left : left + 516]
        pair = np.concatenate([hr.repeat(8, 0).repeat(8, 1), levels.repeat(16, 0).repeat(16, 1)], axis=1)
        shown = np.delete(shown, slice(256, 260), axis=1)
        assert any(np.array_equal(shown[y : y + 256], pair) for y in range(20, 60))


def test_two_runs_give_the_same_files_and_another_seed_gives_others(tmp_path: Path, photos: Path) -> None:
    for out in ("out", "twin"):
        show(tmp_path, out=out)
    show(tmp_path, "seed=1", out="other")
    for name in ("sheet.png", "histograms.png", "records.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "twin" / name).read_bytes()
        assert (tmp_path / "out" / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


def test_a_longer_sheet_begins_with_the_samples_of_a_shorter_one(tmp_path: Path, photos: Path) -> None:
    long = show(tmp_path, "count=7", out="long")["samples"]
    assert long[:5] == show(tmp_path)["samples"]
    assert len({json.dumps(sample["record"]) for sample in long}) == 7


def test_replay_names_the_samples_that_differ(tmp_path: Path, photos: Path) -> None:
    content = show(tmp_path)
    first, third = (content["samples"][number]["file"] for number in (0, 2))
    top, left = (content["samples"][2][key] for key in ("top", "left"))
    edit(tmp_path, lr_sha256="0" * 64)
    image = read_image(photos / third)
    image[top + 31, left + 31] ^= 255  # one pixel
    write_png(photos / third, image)
    assert again(tmp_path).splitlines()[:3] == [
        "2 of 5 samples differ from the records:",
        f"  #0 {first}: the same HR and the same parameters give another LR",
        f"  #2 {third}: the image has changed",
    ]
    assert (tmp_path / "again" / "sheet.png").is_file()


def test_replay_refuses_what_it_cannot_repeat(tmp_path: Path, photos: Path) -> None:
    file = show(tmp_path)["samples"][0]["file"]
    record = json.loads((tmp_path / "out" / "records.json").read_text())["samples"][0]["record"]
    write_png(photos / file, picture(65, 73))
    with pytest.raises(ValueError, match=r"has 73 x 65 pixels; the records were made of"):
        again(tmp_path)
    (photos / file).unlink()
    with pytest.raises(ValueError, match=rf"{file} does not exist: hr_dir must hold the images"):
        again(tmp_path)
    edit(tmp_path, record=record | {"version": VERSION + 1})
    with pytest.raises(ValueError, match=f"version={VERSION + 1}: this code replays version {VERSION}"):
        again(tmp_path)
    edit(tmp_path, record=record, hr_sha1="0")
    with pytest.raises(ValueError, match=r"records\.json is no records\.json of this program: .*hr_sha1"):
        again(tmp_path)
    for content in (b"{", b"\x89PNG"):
        (tmp_path / "out" / "records.json").write_bytes(content)
        with pytest.raises(ValueError, match=r"is no records\.json of this program"):
            again(tmp_path)
    with pytest.raises(
        ValueError, match=r"replay takes everything but hr_dir, out_dir and trust .* drop count=3, ~seed"
    ):
        refuse_other_keys(["hr_dir=x", "count=3", "replay=y", "out_dir=z", "~seed"])


def test_small_and_gray_images(tmp_path: Path) -> None:
    write_png(tmp_path / "photos" / "a.png", picture(40, 70, channels=1))
    content = show(tmp_path, "channels=1", "hr_patch_size=64", degradation="realesrgan")
    assert {sample["top"] for sample in content["samples"]} == {0}
    assert again(tmp_path).startswith("all 5 samples")


def test_timing(tmp_path: Path, photos: Path) -> None:
    show(tmp_path, degradation="realesrgan")
    times = json.loads((tmp_path / "out" / "timing.json").read_text())
    assert list(times["steps"])[:3] == ["first.blur", "first.resize", "first.noise"]
    assert sum(step["share"] for step in times["steps"].values()) == pytest.approx(1)
    assert times["steps"]["first.blur"]["samples"] == 5
    assert 0 < times["steps"]["first.blur"]["median_ms"] < times["median_ms"]


def test_bad_questions_are_answered_by_name(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(ValueError, match="hr_dir is missing: name a directory of HR images"):
        check(compose_config(program="preview"))
    for override, message in {
        "count=0": "count=0 must be 1 or more",
        "seed=-1": "seed=-1 must be 0 or more",
        "hr_patch_size=30": "hr_patch_size=30 must be a multiple of scale=4",
        "+colour=3": "unknown root key.* colour",
    }.items():
        with pytest.raises(ValueError, match=message):
            show(tmp_path, override)
    with pytest.raises(FileNotFoundError, match="none does not exist"):
        show(tmp_path, f"hr_dir={tmp_path}/none")
    assert not (tmp_path / "out").exists()


def test_it_runs_from_anywhere_and_leaves_nothing_there(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    call = ["-m", "sr.commands.preview", "degradation=aliased", "count=1", "hr_patch_size=32"]
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = run_here(*call, f"hr_dir={photos}", f"out_dir={tmp_path}/out")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["step", "samples", "median", "ms", "share"]
    for name in ("sheet.png", "histograms.png", "records.json", "timing.json"):
        assert f"{tmp_path}/out/{name}" in done.stdout
    done = run_here(*call)
    assert done.returncode == 1
    assert "error: hr_dir is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())


def test_samples_of_measured_values_are_those_of_a_training(tmp_path: Path) -> None:
    """Values of 16 bits with a sign, whose 0 and 1 `normalise` names; the sheet has to be neither black nor white."""
    values = 40 * picture(64, 64).astype(np.int16) - 100
    (tmp_path / "photos").mkdir()
    tifffile.imwrite(tmp_path / "photos" / "a.tif", values, photometric="rgb")
    with pytest.raises(ValueError, match=r"a\.tif: int16 has no natural range: normalise="):
        show(tmp_path)
    content = show(tmp_path, "normalise={low: -100, high: 10100}", degradation="bicubic")
    assert content["normalise"] == {"low": [-100.0], "high": [10100.0]}
    sheet = read_image(tmp_path / "out" / "sheet.png")
    assert 20 < sheet[30:200, 30:200].std() < 120
    assert again(tmp_path).startswith("all 5 samples give the recorded LR")
    with pytest.raises(ValueError, match="normalise has numbers for 4 bands, where channels=3"):
        show(tmp_path, "normalise={low: [0, 0, 0, 0], high: 1}")
