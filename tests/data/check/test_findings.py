"""Every kind of file that a folder of photographs may hide."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import picture
from PIL import Image
from scenes import write_scene

from sr.data.check.findings import LEAST_DETAIL, detail, duplicates, examine
from sr.ops.normalisation import normalisation
from sr.pictures.cmyk import GUESSED

IMAGE = np.random.default_rng(0).integers(0, 256, (96, 120, 3), np.uint8)


def found(path: Path, *, channels: int = 3, smallest: int = 64) -> list[tuple[str, str]]:
    return [(each.kind, each.detail) for each in examine(path, channels=channels, smallest=smallest).findings]


def save(path: Path, image: Image.Image, **settings: object) -> Path:
    image.save(path, **settings)
    return path


def test_a_good_file_has_nothing(tmp_path: Path) -> None:
    assert found(save(tmp_path / "a.png", Image.fromarray(IMAGE))) == []


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_truncated_file_is_unreadable_though_its_header_is_whole(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", Image.fromarray(IMAGE))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    ((kind, detail),) = found(path)
    assert kind == "unreadable"
    assert detail.startswith("truncated or damaged (")
    path.write_bytes(b"")
    assert found(path) == [("unreadable", "the file is empty (zero bytes)")]


def test_a_tiny_one(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(IMAGE))
    assert found(path, smallest=97) == [("tiny", "120 x 96, less than a patch of 97")]


def test_odd_modes_and_what_becomes_of_them(tmp_path: Path) -> None:
    image = Image.fromarray(IMAGE)
    exif = Image.Exif()
    exif[0x0112] = 6
    cases = {
        "alpha.png": (image.convert("RGBA"), {}, "transparent: laid on white"),
        "palette.png": (image.convert("P"), {}, "palette: becomes colour"),
        "cmyk.jpg": (image.convert("CMYK"), {"quality": 95}, GUESSED),
        "gray.png": (image.convert("L"), {}, "gray: becomes three equal channels"),
        "turned.jpg": (image, {"exif": exif, "quality": 95}, "orientation: turned upright"),
    }
    for name, (stored, settings, odd) in cases.items():
        assert found(save(tmp_path / name, stored, **settings)) == [("odd mode", odd)], name
    cv2.imwrite(str(tmp_path / "deep.png"), IMAGE.astype(np.uint16) * 257)
    assert ("odd mode", "16 bit: used as such") in found(tmp_path / "deep.png")
    assert found(tmp_path / "gray.png", channels=1) == []
    plain = save(tmp_path / "colour.png", image)
    assert found(plain, channels=1) == [("odd mode", "colour: becomes gray")]


def test_detail_is_a_laplacian_in_levels() -> None:
    board = np.indices((64, 64)).sum(0) % 2 * 10 + 100
    image = board.astype(np.uint8)[:, :, None].repeat(3, 2)
    assert detail(image) == pytest.approx(40, abs=0.5)  # four neighbours, ten levels away
    assert detail(image.astype(np.uint16) * 257) == pytest.approx(detail(image), rel=1e-4)
    assert detail(np.full((64, 64, 3), 77, np.uint8)) == 0


def test_a_tenth_with_detail_is_enough(tmp_path: Path) -> None:
    sky = np.full((320, 320, 3), 200, np.uint8)
    sky[:64, :192] = IMAGE[0, 0]
    sky[:64, :192] = np.random.default_rng(1).integers(0, 256, (64, 192, 3), np.uint8)
    assert detail(sky) > LEAST_DETAIL
    assert found(save(tmp_path / "sky.png", Image.fromarray(sky))) == []
    blurred = cv2.GaussianBlur(picture(96, 120), (0, 0), 6)
    (kind, words), *_ = found(save(tmp_path / "blurred.png", Image.fromarray(blurred)))
    assert kind == "low detail"
    assert words.endswith("less than 3.0")


def test_duplicates_are_those_of_pixels_however_they_are_stored(tmp_path: Path) -> None:
    image = Image.fromarray(IMAGE)
    paths = [
        save(tmp_path / "a.png", image),
        save(tmp_path / "b.png", image, compress_level=0),
        save(tmp_path / "c.webp", image, lossless=True),
        save(tmp_path / "d.jpg", image),
        save(tmp_path / "e.png", image.rotate(180)),
    ]
    examined = [examine(path, channels=3, smallest=8) for path in paths]
    assert [(each.path.name, each.detail) for each in duplicates(examined)] == [
        ("b.png", f"of {tmp_path / 'a.png'}"),
        ("c.webp", f"of {tmp_path / 'a.png'}"),
    ]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_detail_of_measured_values_is_relative_to_their_range(tmp_path: Path, dtype: str) -> None:
    by = normalisation({"low": 0, "high": 400})
    flat = np.full((64, 64, 2), 280, np.float32)
    sharp = flat + np.random.default_rng(0).normal(size=flat.shape) * 9
    for name, image in (("flat", flat), ("sharp", sharp)):
        holed = image.astype(dtype)
        holed[:20, :20] = -9999
        found = examine(
            write_scene(tmp_path / f"{name}.tif", holed, nodata=-9999.0), channels=2, smallest=32, by=by
        ).findings
        kinds = [each.kind for each in found]
        assert ("low detail" in kinds) == (name == "flat")
        assert "odd mode" in kinds
    (finding,) = examine(tmp_path / "sharp.tif", channels=2, smallest=32).findings
    assert finding.kind == "unreadable" and "data.normalise=" in finding.detail
