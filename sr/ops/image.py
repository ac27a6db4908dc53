"""Images on disk, as arrays and as tensors."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import tifffile
import torch
from PIL import Image
from torch import Tensor

ORIENTATION = 0x0112  # EXIF tag; from 5 on the sides are exchanged
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


class UnreadableImageError(ValueError):
    """A file that is no image, is truncated or empty, or holds pixels that cannot be used."""


def list_images(directory: str | Path) -> list[Path]:
    """Every image below `directory`, sorted by path.

    Raises:
        FileNotFoundError: there is no such directory, or it has no image in it.
        NotADirectoryError: the path is a file.
    """
    root = Path(directory).expanduser()
    if not root.exists():
        raise FileNotFoundError(f"image directory {root} does not exist")
    if not root.is_dir():
        raise NotADirectoryError(f"image directory {root} is a file")
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise FileNotFoundError(f"image directory {root} has no image in it; read are {', '.join(SUFFIXES)}")
    return paths


def read_image(path: str | Path, *, channels: int = 3) -> np.ndarray:
    """Read a file as (H, W, channels) uint8 or uint16: gray for 1 channel, RGB for 3, the bands as stored otherwise.

    Gray files become RGB where colour is asked for and the other way round (BT.601); transparent images are laid on
    white, since the colours under full transparency are arbitrary. More than 4 bands are read from TIFF.

    Raises:
        UnreadableImageError: names the file and what is wrong with it.
    """
    path = Path(path)
    return decode_image(_read_bytes(path), name=str(path), channels=channels)


def decode_image(data: bytes, *, name: str, channels: int = 3) -> np.ndarray:
    """The bytes of a file, as `read_image` gives it; `name` is what an error calls it, with the file's ending."""
    image = _decode(data, name)
    if image.dtype not in (np.uint8, np.uint16):
        raise UnreadableImageError(
            f"{name}: pixels are {image.dtype}; read are 8 and 16 bit unsigned integers"
        )
    found = image.shape[2]
    if found == channels:
        return image
    if channels not in (1, 3):
        raise UnreadableImageError(f"{name}: has {found} channels where channels={channels} are asked for")
    if found == 4:
        image = _on_white(image)
    elif found not in (1, 3):
        raise UnreadableImageError(f"{name}: has {found} channels where channels={channels} are asked for")
    if channels == 1:
        return image if found == 1 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[:, :, None]
    return image if image.shape[2] == 3 else np.repeat(image, 3, axis=2)


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a file, from its header where Pillow knows the format, else by reading it.

    Raises:
        UnreadableImageError: the file is no image.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.format == "JPEG" and image.getexif().get(ORIENTATION, 1) >= 5
            return (width, height) if turned else (height, width)
    except (OSError, Image.DecompressionBombError):  # OSError is also what formats unknown to Pillow give
        height, width = _decode(_read_bytes(path), str(path)).shape[:2]
        return height, width


def write_png(path: str | Path, image: np.ndarray) -> None:
    """Write (H, W, C) uint8 or uint16, gray or RGB, as PNG; makes the directory."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = image[:, :, ::-1] if image.shape[2] == 3 else image
    done, buffer = cv2.imencode(".png", np.ascontiguousarray(ordered))
    if not done:
        raise OSError(
            f"{path}: an image of shape {image.shape} and type {image.dtype} cannot be written as PNG"
        )
    path.write_bytes(buffer.tobytes())


def to_float(image: np.ndarray) -> np.ndarray:
    """uint8 or uint16 -> float32 in [0, 1], by the depth of the dtype and never by the values."""
    return np.asarray(np.divide(image, np.float32(np.iinfo(image.dtype).max), dtype=np.float32))


def contiguous(image: np.ndarray) -> np.ndarray:
    """(H, W, C), turned or flipped as a view -> the same in the order of memory.

    Whole pixels are moved, which takes half the time of moving their values one by one.
    """
    if image.flags.c_contiguous or image.strides[2] != image.itemsize:
        return np.ascontiguousarray(image)
    pixels = image.view(np.dtype((np.void, image.itemsize * image.shape[2])))[..., 0]
    return np.asarray(np.ascontiguousarray(pixels).view(image.dtype).reshape(image.shape))


def to_tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) float32 -> (C, H, W) float32."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def to_uint8(image: Tensor) -> np.ndarray:
    """(C, H, W) float -> (H, W, C) uint8, clamped to [0, 1] and rounded."""
    levels = (image.detach().float().clamp(0, 1) * 255).round().byte()
    return np.asarray(levels.permute(1, 2, 0).cpu().numpy())


def viewable(image: Tensor) -> np.ndarray:
    """(C, H, W) float -> (H, W, 3) uint8: gray is repeated, of many bands the first three are shown."""
    array = to_uint8(image)
    if array.shape[2] < 3:
        return np.repeat(array[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3])


def quantize(image: np.ndarray) -> np.ndarray:
    """float -> float32 in [0, 1] on the 256 levels of an 8-bit file: what saving and reading would give."""
    return np.asarray((np.clip(image, 0, 1) * 255).round().astype(np.float32) / np.float32(255))


def crop_to_multiple(image: np.ndarray, multiple: int) -> np.ndarray:
    """Cut rows and columns at the bottom and right until height and width are multiples, as the field does."""
    height, width = image.shape[:2]
    return image[: height - height % multiple, : width - width % multiple]


def side_by_side(images: Sequence[np.ndarray], *, gap: int = 4) -> np.ndarray:
    """Lay (H, W, 3) uint8 images of one height in a row on white."""
    spacer = np.full((images[0].shape[0], gap, 3), 255, np.uint8)
    row: list[np.ndarray] = []
    for image in images:
        row += [image, spacer]
    return np.concatenate(row[:-1], axis=1)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path}: {error.strerror}") from error


def _decode(data: bytes, name: str) -> np.ndarray:
    if not data:
        raise UnreadableImageError(f"{name}: the file is empty (zero bytes)")
    # JPEG has no alpha, and only the flags below turn the picture as its EXIF orientation says.
    jpeg = data[:2] == b"\xff\xd8"
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if jpeg else cv2.IMREAD_UNCHANGED
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None and name.lower().endswith((".tif", ".tiff")):
        return _decode_tiff_bands(data, name)
    if image is None:
        raise UnreadableImageError(f"{name}: no image, or a truncated one")
    if image.ndim == 2:
        return np.asarray(image[:, :, None])
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))  # many times as fast as NumPy's indexing
    if image.shape[2] == 4:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA))
    return np.ascontiguousarray(image)


def _decode_tiff_bands(data: bytes, name: str) -> np.ndarray:
    """(H, W, bands) from a TIFF with more bands than OpenCV reads, stored by pixel or by plane."""
    try:
        with tifffile.TiffFile(BytesIO(data)) as tiff:
            series = tiff.series[0]
            image, axes = series.asarray(), series.axes
    except Exception as error:  # tifffile raises whatever the broken bytes lead it to
        raise UnreadableImageError(f"{name}: no image, or a truncated one ({error})") from error
    if image.ndim == 2:
        return np.asarray(image[:, :, None])
    if image.ndim != 3:
        raise UnreadableImageError(f"{name}: a TIFF of shape {image.shape} is not one image")
    return np.asarray(image if axes.endswith("S") else image.transpose(1, 2, 0))


def _on_white(image: np.ndarray) -> np.ndarray:
    """(H, W, 4) -> (H, W, 3) of the same dtype."""
    top = np.iinfo(image.dtype).max
    alpha = image[:, :, 3:].astype(np.float64) / top
    return np.asarray((image[:, :, :3] * alpha + top * (1 - alpha)).round().astype(image.dtype))
