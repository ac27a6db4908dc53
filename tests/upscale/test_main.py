"""The program as a user runs it."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture, run_program
from PIL import Image
from upscaling import upscale

from sr.archs.srvgg import SRVGGNetCompact
from sr.commands import upscale as program
from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png


def test_a_folder_as_a_user_runs_it(photos: Path, ckpt: str, tmp_path: Path) -> None:
    done = run_program(
        "-m",
        "sr.commands.upscale",
        str(photos),
        "--ckpt",
        ckpt,
        "--out",
        str(tmp_path / "out"),
        "--tile",
        "32",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done: 4 upscaled, 0 skipped, 0 failed"
    assert done.stderr == ""  # no bars where nobody watches
    found = read_picture(tmp_path / "out" / "deep" / "c.png").colour
    assert found.shape == (140, 180, 3)


def test_a_bad_image_does_not_stop_the_rest(
    photos: Path, ckpt: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (photos / "empty.png").touch()
    (photos / "half.png").write_bytes((photos / "a.png").read_bytes()[:3000])
    (photos / "text.jpg").write_text("no image")
    assert upscale(photos, "--ckpt", ckpt, "--out", tmp_path / "out") == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == "done: 4 upscaled, 0 skipped, 3 failed"
    for words in (
        "empty.png: the file is empty (zero bytes)",
        "half.png: truncated",
        "text.jpg: not an image",
    ):
        assert words in err
    assert len([each for each in (tmp_path / "out").rglob("*") if each.is_file()]) == 4


def test_skip_existing(photos: Path, ckpt: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"kept")
    assert upscale(photos, "--ckpt", ckpt, "--out", tmp_path / "out", "--skip-existing") == 0
    assert capfd.readouterr().out.splitlines()[-1] == "done: 3 upscaled, 1 skipped, 0 failed"
    assert (tmp_path / "out" / "a.png").read_bytes() == b"kept"
    assert upscale(photos, "--ckpt", ckpt, "--out", tmp_path / "out") == 0
    assert read_picture(tmp_path / "out" / "a.png").colour.shape == (128, 144, 3)


def test_formats_and_what_they_cannot_hold(
    ckpt: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    write_png(folder / "deep.png", picture(12, 12).astype(np.uint16) * 257)
    write_png(folder / "plain.png", picture(12, 12))
    Image.fromarray(picture(12, 12, channels=4)).save(folder / "clear.webp", lossless=True)
    assert upscale(folder, "--ckpt", ckpt, "--out", out, "--format", "jpg") == 1
    err = capfd.readouterr().err
    assert "deep.png: has 16 bits per channel, and .jpg holds 8: choose --format png" in err
    assert "clear.webp: is transparent, and .jpg is not: choose --format png or webp" in err
    assert [each.name for each in out.iterdir()] == ["plain.jpg"]
    assert upscale(folder, "--ckpt", ckpt, "--out", tmp_path / "same", "--format", "same") == 0
    assert {each.name for each in (tmp_path / "same").iterdir()} == {"deep.png", "plain.png", "clear.webp"}


def test_scale_and_ensemble(photos: Path, ckpt: str, tmp_path: Path) -> None:
    options = ("--ckpt", ckpt, "--out", tmp_path / "out", "--scale", "2.5", "--self-ensemble", "--tile", "16")
    assert upscale(photos / "a.png", *options) == 0
    assert read_picture(tmp_path / "out" / "a.png").colour.shape == (160, 180, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ckpt", "gone.pth"], "checkpoint gone.pth does not exist"),
        (["--device", "cuda:9"], "device=cuda:9: this machine has"),
        (["--device", "abacus"], "device=abacus: choose auto, cpu, cuda, cuda:N or mps"),
        (["--out", "{photos}"], "a.png would be written over an input"),
        (["--out", "{photos}/a.png/sub"], "a.png/sub: Not a directory"),
        (["{photos}/gone.png"], "gone.png does not exist: give image files, folders or patterns"),
    ],
)
def test_what_is_refused_before_the_first_image(
    photos: Path,
    ckpt: str,
    tmp_path: Path,
    options: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [each.format(photos=photos) for each in options]
    arguments = [str(photos / "a.png"), "--ckpt", ckpt, "--out", str(tmp_path / "out"), *given]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["sr-upscale", *arguments])
        program.main()
    assert ended.value.code == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out" / "a.png").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--tile", "-3"), ("--tile", "big"), ("--scale", "0"), ("--scale", "inf"), ("--scale", "x")],
)
def test_numbers_that_make_no_sense(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.parse(["a.png", "--ckpt", "x", "--out", "y", f"{option}={value}"])
    assert ended.value.code == 2
    assert f"argument {option}: '{value}' is" in capsys.readouterr().err


def test_broken_weights_fail_every_image(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2)
    with torch.no_grad():
        for layer in (0, -1):  # numbers, whose products no float32 holds
            net.body[layer].weight.fill_(1e30)
    torch.save(net.state_dict(), tmp_path / "huge.pth")
    assert upscale(photos / "a.png", "--ckpt", tmp_path / "huge.pth", "--out", tmp_path / "out") == 1
    assert "a.png: the net gives values that are not finite, even in fp32" in capfd.readouterr().err


def test_code_in_a_checkpoint_is_refused_by_name(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"params": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match=r"evil\.pth: refused, since reading it would run code \(.*mkdir\)"):
        upscale(photos, "--ckpt", tmp_path / "evil.pth", "--out", tmp_path / "out")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()
