"""Files hold what was given, decoders of others agree, and a file is written whole or not at all."""

import errno
import subprocess
import sys
import textwrap
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import ROOT
from helpers import picture as smooth
from PIL import Image, ImageCms

from sr.pictures.formats import output_suffix
from sr.pictures.picture import Picture
from sr.pictures.reading import read_picture
from sr.pictures.writing import (
    check_fits,
    check_holds,
    check_writable,
    profile_fits,
    replacing,
    write_picture,
)

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LARGE = SRGB + np.random.default_rng(0).bytes(150_000)  # more than one segment of a JPEG


def make(
    colours: int, *, alpha: bool = False, dtype: type = np.uint8, size: tuple[int, int] = (37, 23)
) -> Picture:
    top = np.iinfo(dtype).max
    pixels = (smooth(*size, channels=colours + alpha).astype(np.uint64) * top // 255).astype(dtype)
    pixels[::3] = np.random.default_rng(0).integers(
        0, top + 1, pixels[::3].shape
    )  # every filter gets its turn
    return Picture(pixels[:, :, :colours].copy(), pixels[:, :, colours:].copy() if alpha else None)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("colours", [1, 3])
def test_lossless_round_trip(tmp_path: Path, colours: int, alpha: bool, dtype: type, suffix: str) -> None:
    picture = make(colours, alpha=alpha, dtype=dtype)
    path = tmp_path / "deep" / f"x{suffix}"
    write_picture(path, picture)
    found = read_picture(path)
    np.testing.assert_array_equal(found.colour, picture.colour)
    assert found.colour.dtype == dtype
    assert (found.alpha is None) == (not alpha)
    if alpha:
        np.testing.assert_array_equal(found.alpha, picture.alpha)
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("bands", [2, 4, 6])
@pytest.mark.parametrize("alpha", [False, True])
def test_bands_of_a_tiff_stay_bands(tmp_path: Path, bands: int, alpha: bool) -> None:
    picture = make(bands, alpha=alpha, dtype=np.uint16)
    write_picture(tmp_path / "x.tif", picture)
    found = read_picture(tmp_path / "x.tif")
    np.testing.assert_array_equal(found.colour, picture.colour)
    assert (found.alpha is None) == (not alpha)
    with pytest.raises(ValueError, match=rf"x\.tif: has {bands} bands, and \.png holds gray or RGB"):
        check_holds(tmp_path / "x.tif", ".png", found)


def test_png_is_read_alike_by_other_decoders(tmp_path: Path) -> None:
    """Several strips high, so that rows are predicted over their seams."""
    picture = make(3, dtype=np.uint16, size=(1500, 640))
    write_picture(tmp_path / "x.png", picture)
    decoded = cv2.imread(str(tmp_path / "x.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded[:, :, ::-1], picture.colour)
    gray = make(1, alpha=True)
    write_picture(tmp_path / "y.png", gray)
    with Image.open(tmp_path / "y.png") as image:
        assert image.mode == "LA"
        np.testing.assert_array_equal(np.asarray(image)[:, :, :1], gray.colour)


def test_png_is_no_larger_than_others_make_it(tmp_path: Path) -> None:
    picture = Picture(smooth(256, 256))
    write_picture(tmp_path / "x.png", picture)
    cv2.imwrite(str(tmp_path / "theirs.png"), picture.colour)
    assert (tmp_path / "x.png").stat().st_size < (tmp_path / "theirs.png").stat().st_size


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
@pytest.mark.parametrize("colours", [1, 3])
def test_lossy_formats_come_close(tmp_path: Path, colours: int, suffix: str) -> None:
    colour = smooth(64, 48, channels=colours)
    write_picture(tmp_path / f"x{suffix}", Picture(colour.copy()))
    found = read_picture(tmp_path / f"x{suffix}").colour
    assert found.shape[2] == (3 if suffix == ".webp" else colours)
    assert np.abs(found.astype(int) - colour).mean() < 6  # red and blue exchanged would be 40 away


def test_webp_keeps_alpha(tmp_path: Path) -> None:
    picture = Picture(smooth(32, 32), smooth(32, 32, channels=1, seed=1))
    write_picture(tmp_path / "x.webp", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "x.webp").alpha, picture.alpha)
    gray = Picture(smooth(32, 32, channels=1), smooth(32, 32, channels=1, seed=1))
    write_picture(tmp_path / "y.webp", gray)
    np.testing.assert_array_equal(read_picture(tmp_path / "y.webp").alpha, gray.alpha)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("profile", [SRGB, LARGE], ids=["small", "large"])
def test_profile_is_kept(tmp_path: Path, suffix: str, profile: bytes) -> None:
    write_picture(tmp_path / f"x{suffix}", Picture(smooth(16, 16), icc=profile))
    with Image.open(tmp_path / f"x{suffix}") as image:
        assert image.info["icc_profile"] == profile


def test_profile_of_other_channels_does_not_fit() -> None:
    gray = SRGB[:16] + b"GRAY" + SRGB[20:]
    assert profile_fits(".png", Picture(smooth(4, 4), icc=SRGB))
    assert not profile_fits(".png", Picture(smooth(4, 4), icc=gray))
    assert profile_fits(".png", Picture(smooth(4, 4, channels=1), icc=gray))
    assert not profile_fits(".webp", Picture(smooth(4, 4, channels=1), icc=gray))
    assert not profile_fits(".png", Picture(smooth(4, 4)))


def test_what_a_format_cannot_hold_is_refused_with_choices() -> None:
    path = Path("x.png")
    with pytest.raises(
        ValueError, match=r"x\.png: has 16 bits per channel, and \.jpg holds 8: choose --format png"
    ):
        check_holds(path, ".jpg", make(3, dtype=np.uint16))
    with pytest.raises(ValueError, match=r"16 bits"):
        check_holds(path, ".webp", make(3, dtype=np.uint16))
    with pytest.raises(ValueError, match=r"is transparent, .* choose --format png or webp"):
        check_holds(path, ".jpg", make(3, alpha=True))
    check_holds(path, ".webp", make(3, alpha=True))
    check_holds(path, ".png", make(1, alpha=True, dtype=np.uint16))
    with pytest.raises(ValueError, match=r"16384 x 8, and \.webp ends at 16383"):
        check_fits(path, ".webp", size=(8, 16384))
    check_fits(path, ".jpg", size=(65535, 65535))


def test_suffixes() -> None:
    assert [
        output_suffix(Path(name), "same") for name in ("a.JPG", "a.jpeg", "a.TIF", "a.webp", "a.bmp")
    ] == [
        ".jpg",
        ".jpeg",
        ".tif",
        ".webp",
        ".png",
    ]
    assert output_suffix(Path("a.tif"), "webp") == ".webp"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with replacing(path) as file:
            file.write(b"half of the new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["x.png"]


FULL_DISK = textwrap.dedent("""
    import resource, signal, sys
    from pathlib import Path
    import numpy as np
    from sr.pictures.picture import Picture
    from sr.pictures.writing import write_picture
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
    for name in ("x.png", "x.jpg", "x.webp", "x.tif"):
        try:
            write_picture(Path(sys.argv[1]) / name, Picture(noise.copy()))
        except OSError as error:
            print(name, error.errno)
""")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    names = ["x.jpg", "x.png", "x.tif", "x.webp"]
    for name in names:
        (tmp_path / name).write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.splitlines()) == [f"{name} {errno.EFBIG}" for name in names]
    assert sorted(each.name for each in tmp_path.iterdir()) == names
    assert {(tmp_path / name).read_bytes() for name in names} == {b"old"}


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    for name in ("writable", ".writable"):  # whatever lies there, the trial leaves it alone
        (tmp_path / name).write_text("mine")
    check_writable(tmp_path)
    assert {(tmp_path / name).read_text() for name in ("writable", ".writable")} == {"mine"}
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory: .*file/folder.$"):
        check_writable(tmp_path / "file" / "folder")
    with pytest.raises(NotADirectoryError, match="file is a file: name a folder for the results"):
        check_writable(tmp_path / "file")
