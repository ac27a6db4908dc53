"""Broken files, unusual depths and headers that claim too much are refused by name."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from helpers import picture as smooth
from PIL import Image
from random_pictures import noise, png16

from sr.pictures.picture import UnreadableImageError
from sr.pictures.reading import Header, read_header, read_picture


def broken(tmp_path: Path) -> dict[str, bytes]:
    image = Image.fromarray(smooth(64, 64))
    files = {"empty.png": b"", "text.jpg": b"not an image at all"}
    for name in ("x.png", "x.jpg", "x.webp", "x.tif", "x.bmp", "progressive.jpg"):
        buffer = io.BytesIO()
        kind = Image.registered_extensions()[Path(name).suffix]
        image.save(buffer, kind, progressive=name.startswith("progressive"))
        files[f"half.{name}"] = buffer.getvalue()[: len(buffer.getvalue()) * 2 // 3]
        files[f"stub.{name}"] = buffer.getvalue()[:20]
    png16(tmp_path / "deep.png", noise(3, np.uint16, 64, 64))
    files["half.deep.png"] = (tmp_path / "deep.png").read_bytes()[:9000]
    tifffile.imwrite(tmp_path / "deep.tif", noise(3, np.uint16, 64, 64), photometric="rgb")
    files["half.deep.tif"] = (tmp_path / "deep.tif").read_bytes()[:9000]
    flipped = bytearray((tmp_path / "deep.png").read_bytes())
    flipped[5000] ^= 255
    files["damaged.png"] = bytes(flipped)
    return files


def test_broken_files_are_refused_by_name(tmp_path: Path) -> None:
    for name, content in broken(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnreadableImageError, match=name):
            print(name, read_picture(path).colour.shape)


@pytest.mark.parametrize(
    "dtype", [np.float64, np.float16, np.int8, np.int32, np.uint32, np.int64, np.uint64, np.complex64]
)
def test_other_types_are_refused(tmp_path: Path, dtype: type) -> None:
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((4, 4), dtype), photometric="minisblack")
    name = np.dtype(dtype).name
    with pytest.raises(UnreadableImageError, match=rf"x\.tif: pixels are {name}; read are unsigned"):
        read_picture(tmp_path / "x.tif")


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("read", [read_picture, read_header])
def test_bomb_is_refused_by_its_header(tmp_path: Path, read: Callable[[Path], object]) -> None:
    (tmp_path / "bomb.png").write_bytes(bomb(60000, 60000))
    with pytest.raises(UnreadableImageError, match=r"bomb\.png: its header says 60000 x 60000 pixels"):
        read(tmp_path / "bomb.png")


def test_hundred_megapixels_are_no_bomb(tmp_path: Path) -> None:
    (tmp_path / "photograph.png").write_bytes(bomb(20000, 20000))
    assert read_header(tmp_path / "photograph.png") == Header(20000, 20000, 3, alpha=False, depth=1)
