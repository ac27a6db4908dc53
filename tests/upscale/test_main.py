"""The program as a user runs it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture, run_program
from PIL import Image

from sr.archs.srvgg import SRVGGNetCompact
from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png
from sr.upscale import __main__ as program


@pytest.fixture
def ckpt(tmp_path: Path) -> str:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2)
    torch.save({"params": net.state_dict()}, tmp_path / "net.pth")
    return str(tmp_path / "net.pth")


def upscale(*arguments: object) -> int:
    return program.run(program.parse([str(each) for each in arguments]))


def test_a_folder_as_a_user_runs_it(photos: Path, ckpt: str, tmp_path: Path) -> None:
    done = run_program(
        "-m", "sr.upscale", str(photos), "--ckpt", ckpt, "--out", str(tmp_path / "out"), "--tile", "32"
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
        (["--device", "abacus"], "device=abacus: choose auto, cpu, cuda or cuda:N"),
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


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_between_two_tiles_keeps_the_file_of_before(
    ckpt: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    @contextmanager
    def interrupting(tiles: int) -> Iterator[Callable[[int], object]]:
        assert tiles > 9
        left = [None, None]  # batches of a few tiles
        yield lambda done: left.pop() if left else signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(program, "_tile_bar", interrupting)
    write_png(tmp_path / "in" / "a.png", picture(300, 300))
    write_png(tmp_path / "in" / "b.png", picture(8, 8))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"old")
    options = ("--ckpt", ckpt, "--out", tmp_path / "out", "--tile", "64")
    assert upscale(tmp_path / "in", *options) == 130
    last = capfd.readouterr().out.splitlines()[-1]
    assert last == "stopped: 0 upscaled, 0 skipped, 0 failed, 2 not done"
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == {"a.png": b"old"}


# The program, which gets a signal while it writes its third picture.
SIGNALLED = """
import os, signal, sys
from sr.ops import whole_file
from sr.upscale.__main__ import main
fsync, written = os.fsync, []
def signalled(file):
    written.append(file)
    if len(written) == 3:
        os.kill(os.getpid(), signal.{name})
    fsync(file)
whole_file.os.fsync = signalled
main()
"""


@pytest.mark.usefixtures("heeding_ctrl_c")
def test_ctrl_c_leaves_whole_files_only(photos: Path, ckpt: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run_program("-c", SIGNALLED.format(name="SIGINT"), str(photos), "--ckpt", ckpt, "--out", str(out))
    assert done.returncode == 130, done.stderr
    assert done.stdout.splitlines()[-1] == "stopped: 2 upscaled, 0 skipped, 0 failed, 2 not done"
    left = sorted(path for path in out.rglob("*") if path.is_file())
    assert [path.name for path in left] == ["a.png", "b.png"]  # and no unfinished file among them
    assert [read_picture(path).colour.shape for path in left] == [(128, 144, 3), (160, 132, 3)]


def test_what_a_killed_program_left_is_removed_by_the_next(photos: Path, ckpt: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = (str(photos), "--ckpt", ckpt, "--out", str(out), "--skip-existing")
    done = run_program("-c", SIGNALLED.format(name="SIGKILL"), *arguments)
    assert done.returncode == -signal.SIGKILL
    (left,) = out.rglob(".*")
    assert left.name.startswith(".d.png.")
    done = run_program("-m", "sr.upscale", *arguments)
    assert done.stdout.splitlines()[-1] == "done: 2 upscaled, 2 skipped, 0 failed"
    assert not list(out.rglob(".*"))


LITTLE_MEMORY = """
import resource, sys
from sr.upscale.__main__ import parse, run
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 120_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(run(parse(sys.argv[1:])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_that_runs_out_in_earnest(tmp_path: Path) -> None:
    """The words of the real allocator are known, and the picture is the same."""
    net = SRVGGNetCompact(scale=2, num_feat=64, num_conv=1)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    write_png(tmp_path / "x.png", picture(500, 600))
    arguments = [str(tmp_path / "x.png"), "--ckpt", str(tmp_path / "net.pth"), "--precision", "fp32"]
    done = run_program("-c", LITTLE_MEMORY, *arguments, "--tile", "0", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "out of memory with tiles of 600 x 500: goes on with" in done.stderr
    assert upscale(*arguments, "--tile", "0", "--out", tmp_path / "plenty") == 0
    found, expected = (read_picture(tmp_path / each / "x.png").colour for each in ("out", "plenty"))
    assert np.abs(found.astype(int) - expected).max() <= 1


MEASURED = """
import resource, sys
from sr.upscale.__main__ import parse, run
status = run(parse(sys.argv[1:]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count otherwise")
def test_memory_grows_by_the_image_and_its_result_alone(ckpt: str, tmp_path: Path) -> None:
    peaks = []
    for size in (1024, 3072):
        tiled = np.tile(picture(512, 512), (size // 512, size // 512, 1))
        write_png(tmp_path / f"{size}.png", tiled)
        arguments = [str(tmp_path / f"{size}.png"), "--ckpt", ckpt, "--out", str(tmp_path / "out")]
        done = run_program("-c", MEASURED, *arguments, "--tile", "256")
        assert done.returncode == 0, done.stderr
        # Of the file too, which is read whole before it is decoded.
        held = 3 * size**2 * (1 + 2**2) + (tmp_path / f"{size}.png").stat().st_size
        peaks.append(int(done.stderr.split()[-1]) - held)
    assert peaks[1] - peaks[0] < 60_000_000
