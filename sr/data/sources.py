"""Sources of whole images: files, and procedural images."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import skimage
from lightning.pytorch.utilities import rank_zero_only

from sr.data.dead_leaves import render_dead_leaves
from sr.ops.normalisation import WRITE, Normalisation
from sr.pictures.listing import list_images
from sr.pictures.picture import Header, UnreadableImageError
from sr.pictures.reading import read_header, read_image

log = logging.getLogger(__name__)

TIFF = (".tif", ".tiff")

# Photographs that scikit-image ships in its wheel. No scene is in both lists.
SAMPLES = {
    "train": (
        "astronaut.png",
        "motorcycle_left.png",
        "motorcycle_right.png",
        "hubble_deep_field.jpg",
        "retina.jpg",
        "ihc.png",
        "camera.png",
        "brick.png",
        "grass.png",
        "gravel.png",
        "moon.png",
        "coins.png",
    ),
    "val": ("chelsea.png", "coffee.png", "rocket.jpg"),
}


class ImageSource(Protocol):
    """Numbered images, (H, W, C) uint8, uint16, int16 or float32.

    One whose images may lack data has a method `nodata` too, see `ImageFiles.nodata`.
    """

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> np.ndarray: ...
    def name(self, index: int) -> str: ...
    def listing(self) -> list[str]:
        """One line for each image that tells it from others."""


class ImageFiles:
    """Image files; `name` is the path below `root` without its suffix.

    Args:
        paths: the files.
        root: the directory they were found in.
        channels: the channels that every image is converted to, see `sr.pictures.reading.read_image`.
    """

    def __init__(self, paths: Sequence[Path], *, root: Path, channels: int = 3) -> None:
        self.paths = list(paths)
        self.root = root
        self.channels = channels
        self._nodata: dict[int, float | None] = {}

    @classmethod
    def from_directory(cls, directory: str | Path, *, channels: int = 3) -> "ImageFiles":
        """Every image below a directory, recursively."""
        root = Path(directory).expanduser()
        files = cls(list_images(root), root=root, channels=channels)
        say("%d images in %s", len(files), root)
        return files

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        return read_image(self.paths[index], channels=self.channels)

    def name(self, index: int) -> str:
        return self.paths[index].relative_to(self.root).with_suffix("").as_posix()

    def size(self, index: int) -> tuple[int, int]:
        """The (height, width) in the header of the file.

        Raises:
            UnreadableImageError: the file cannot be read as an image.
        """
        header = self.header(index)
        return header.height, header.width

    def header(self, index: int) -> Header:
        """See `sr.pictures.reading.read_header`."""
        return read_header(self.paths[index])

    def nodata(self, index: int) -> float | None:
        """The value of an image's pixels without data; None where its file states none, as only TIFFs can."""
        if self.paths[index].suffix.lower() not in TIFF:
            return None
        if index not in self._nodata:
            self._nodata[index] = self.header(index).nodata
        return self._nodata[index]

    def listing(self) -> list[str]:
        """The path below `root` and the size in bytes of each file."""
        return [f"{path.relative_to(self.root).as_posix()} {path.stat().st_size}" for path in self.paths]


def nodata_of(images: ImageSource, index: int) -> float | None:
    """The value of an image's pixels without data, if its source knows of any."""
    find = getattr(images, "nodata", None)
    return None if find is None else find(index)


def check_type(path: Path, header: Header, *, by: Normalisation) -> None:
    """Raises UnreadableImageError for a file whose type has no way to the values of a net."""
    if not by.takes(header.dtype):
        raise UnreadableImageError(f"{path}: {header.dtype} has no natural range: {WRITE}")


def check_types(images: ImageSource, *, by: Normalisation) -> None:
    """Raises UnreadableImageError for the first file whose type has no way to the values of a net."""
    if not isinstance(images, ImageFiles):
        return
    for number, path in enumerate(images.paths):
        check_type(path, images.header(number), by=by)


def say_conversions(images: ImageSource, headers: Sequence[Header] | None = None) -> None:
    """Log what reading changes or guesses, one line for each kind; other sources than files have nothing to say.

    Args:
        images: the source of the images.
        headers: the headers of all images, if they have been read already.
    """
    if not isinstance(images, ImageFiles):
        return
    headers = headers or [images.header(index) for index in range(len(images))]
    concerned: dict[str, list[Path]] = {}
    for path, header in zip(images.paths, headers, strict=True):
        for kind in header.conversions(images.channels):
            concerned.setdefault(kind, []).append(path)
    for kind, paths in concerned.items():
        say("%d of %d images in %s: %s (%s)", len(paths), len(images), images.root, kind, paths[0].name)


@rank_zero_only
def say(message: str, *values: object) -> None:
    """Write a line to the log, once for all processes of a run."""
    log.info(message, *values)


def sample_photographs(split: str, *, channels: int = 3) -> ImageFiles:
    """The photographs inside scikit-image: `train`, or `val`, which training never sees.

    Raises:
        FileNotFoundError: the installed scikit-image does not ship one of them.
    """
    root = Path(skimage.__file__).parent / "data"
    paths = [root / name for name in SAMPLES[split]]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"the installed scikit-image does not ship {', '.join(missing)} in {root}")
    say("%d photographs inside scikit-image (%s)", len(paths), ", ".join(path.stem for path in paths))
    return ImageFiles(paths, root=root, channels=channels)


class DeadLeavesImages:
    """Procedural images, each rendered when first asked for and kept: see `sr.data.dead_leaves`.

    Args:
        num_images: the number of images.
        size: height and width.
        seed: image i is a function of (seed, i).
        channels: 1, 3 or more.
    """

    def __init__(self, *, num_images: int, size: int, seed: int, channels: int = 3) -> None:
        self.size = size
        self.seed = seed
        self.channels = channels
        self._images: list[np.ndarray | None] = [None] * num_images

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> np.ndarray:
        image = self._images[index]
        if image is None:
            rng = np.random.default_rng((self.seed, index))
            image = render_dead_leaves(size=self.size, rng=rng, channels=self.channels)
            self._images[index] = image
        return image

    def name(self, index: int) -> str:
        return f"dead_leaves_{index:04d}"

    def listing(self) -> list[str]:
        """The numbers that determine the images."""
        return [
            f"{self.name(index)} size={self.size} seed={self.seed} channels={self.channels}"
            for index in range(len(self))
        ]
