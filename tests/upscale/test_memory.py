"""Memory that is too small for a picture, or runs out while it is enlarged."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture, run_program
from upscaling import Hungry, network, upscale

from sr.archs.srvgg import SRVGGNetCompact
from sr.pictures.picture import Picture
from sr.pictures.reading import read_picture
from sr.pictures.writing import write_png
from sr.upscale import upscaler as module
from sr.upscale.upscaler import Upscaler


def test_a_row_of_tiles_counts_where_the_result_is_resampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: 2**21)
    whole, cut = (Upscaler(network=network(scale=4), scale=0.1, tile=tile) for tile in (0, 32))
    cut.check_memory(200, 200, channels=3, depth=1)
    with pytest.raises(MemoryError, match=r"200 x 200 pixels and the result of 20 x 20 need 0\.0 GiB"):
        whole.check_memory(200, 200, channels=3, depth=1)


def test_the_row_of_tiles_is_floats_whatever_the_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Image and result have 2 bytes a value, the whole output of the net that is resampled has 4."""
    upscaler = Upscaler(network=network(scale=4), scale=0.1, tile=0)
    needed = 3 * (2 * (200 * 200 + 20 * 20) + 4 * 800 * 800)
    monkeypatch.setattr(module, "free_memory", lambda device: needed)
    upscaler.check_memory(200, 200, channels=3, depth=2)
    monkeypatch.setattr(module, "free_memory", lambda device: needed - 1)
    with pytest.raises(MemoryError):
        upscaler.check_memory(200, 200, channels=3, depth=2)


@pytest.mark.parametrize(
    "error",
    [
        lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ..."),
        MemoryError,
    ],
    ids=["cuda", "cpu", "numpy"],
)
@pytest.mark.parametrize("tile", ["auto", 0, 200])
def test_out_of_memory_halves_the_tile_and_goes_on(error: Callable[[], Exception], tile: int | str) -> None:
    said: list[str] = []
    image = picture(150, 190)
    upscaler = Upscaler(network=network(Hungry(64 * 64, error)), tile=tile, report=said.append)
    np.testing.assert_array_equal(upscaler(Picture(image)).colour, image.repeat(2, 0).repeat(2, 1))
    assert said[0].startswith("out of memory with tiles of 190 x 150: goes on with ")
    steps = len(said)
    upscaler(Picture(image))
    assert len(said) == steps  # remembered for the next picture


def test_memory_for_no_tile_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*arguments: object, **options: object) -> np.ndarray:
        raise MemoryError

    monkeypatch.setattr(module, "enlarge_all", exhausted)
    said: list[str] = []
    upscaler = Upscaler(network=network(), report=said.append)
    with pytest.raises(MemoryError, match="smaller tiles would consist of margins only"):
        upscaler(Picture(picture(90, 90)))


def test_other_errors_are_not_taken_for_want_of_memory() -> None:
    upscaler = Upscaler(network=network(Hungry(1, lambda: RuntimeError("a bug"))))
    with pytest.raises(RuntimeError, match="a bug"):
        upscaler(Picture(picture(20, 20)))


def test_too_large_for_the_memory_is_said_in_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_memory", lambda device: 2**30)
    upscaler = Upscaler(network=network(scale=4))
    upscaler.check_memory(4000, 4000, channels=3, depth=1)
    with pytest.raises(
        MemoryError, match=r"8000 x 8000 pixels and the result of 32000 x 32000 need 3\.0 GiB, 1\.0"
    ):
        upscaler.check_memory(8000, 8000, channels=3, depth=1)


# A small picture goes first, so that everything is imported and every thread has begun before the limit is set.
LITTLE_MEMORY = """
import resource, sys
from sr.commands.upscale import parse
from sr.programs.upscale import run
run(parse([sys.argv[1], *sys.argv[3:]]))
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 120_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.exit(run(parse(sys.argv[2:])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_that_runs_out_in_earnest(tmp_path: Path) -> None:
    """The words of the real allocator are known, and the picture is the same."""
    net = SRVGGNetCompact(scale=2, num_feat=64, num_conv=1)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    write_png(tmp_path / "x.png", picture(500, 600))
    arguments = [str(tmp_path / "x.png"), "--ckpt", str(tmp_path / "net.pth"), "--precision", "fp32"]
    write_png(tmp_path / "small.png", picture(20, 30))
    small, out = str(tmp_path / "small.png"), str(tmp_path / "out")
    done = run_program("-c", LITTLE_MEMORY, small, *arguments, "--tile", "0", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "out of memory with tiles of 600 x 500: goes on with" in done.stderr
    assert upscale(*arguments, "--tile", "0", "--out", tmp_path / "plenty") == 0
    found, expected = (read_picture(tmp_path / each / "x.png").colour for each in ("out", "plenty"))
    assert np.abs(found.astype(int) - expected).max() <= 1


MEASURED = """
import resource, sys
from sr.commands.upscale import parse
from sr.programs.upscale import run
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
