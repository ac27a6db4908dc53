"""Damaged files of every kind: a picture or the one error, never anything else, in bounded time and memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from picture_files import PICTURES

# Ten kinds of files; of each so many mutants.
KINDS = (
    "planar16.tif",
    "lzw.tif",
    "zstd_tiled.tif",
    "palette.tif",
    "alpha8_associated.tif",
    "cmyk.tif",
    "turned.jpg",
    "turned.webp",
    "key16.png",
    "key8_gray.png",
)
EACH = 200
# Reads every file of a folder by every reader, in a process of its own: a library may crash, and memory is limited.
PROGRAM = """
import os, resource, sys, time
os.environ["SR_MAX_PIXELS"] = "10000000"  # what is below may be allocated
from pathlib import Path
import sr.data.check.findings as check
from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import decode_image, read_header, read_image, read_picture

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000,) * 2)
read = refused = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    print(path.name, flush=True)
    readers = (read_header, read_picture, read_image, lambda p: decode_image(p.read_bytes(), name=str(p)))
    for reader in readers:
        began = time.process_time()
        try:
            reader(path)
            read += 1
        except UnreadableImageError as error:
            refused += 1
            assert str(path) in str(error), error
            assert "not enough memory" not in str(error), error
        assert time.process_time() - began < 5, f"{path} took {time.process_time() - began} s"
    check.examine(path, channels=3, smallest=8)
print("read", read, "refused", refused)
"""
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def mutant(content: bytes, rng: np.random.Generator) -> bytes:
    """One to four changes, most of them in the first and last bytes, where headers and tags stand."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        if len(data) < 16:
            break
        where = int(
            rng.choice(
                [
                    rng.integers(min(300, len(data))),
                    rng.integers(len(data)),
                    len(data) - rng.integers(1, min(300, len(data))),
                ]
            )
        )
        match rng.integers(7):
            case 0:
                data[where] = rng.integers(256)
            case 1:
                data[where] ^= 1 << rng.integers(8)
            case 2:
                length, order = int(rng.choice([2, 4])), rng.choice(["little", "big"])
                value = int(rng.choice(EXTREMES)) % (1 << (8 * length))
                data[where : where + length] = value.to_bytes(length, order)
            case 3:
                del data[where:]
            case 4:
                del data[where : where + rng.integers(1, 40)]
            case 5:
                data[where:where] = rng.bytes(rng.integers(1, 40))
            case 6:
                data[where : where + 40] = bytes(40)
    return bytes(data)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits memory")
@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_or_the_error_and_nothing_else(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(KINDS.index(kind))
    for number in range(EACH):
        (tmp_path / f"{number:03d}_{kind}").write_bytes(mutant(PICTURES[kind][0], rng))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-300:]}\n{done.stderr[-3000:]}"
    if not kind.endswith(".jpg"):  # libjpeg warns of damage on its own
        assert not done.stderr  # nor a library's own words
    words = done.stdout.split()
    assert int(words[-1]) + int(words[-3]) == 4 * EACH
    assert int(words[-1]) > EACH  # mutants are broken indeed
