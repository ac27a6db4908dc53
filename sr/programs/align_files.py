"""The files of a pair -> arrays, and the aligned arrays -> files of the same kind."""

from dataclasses import dataclass, replace
from pathlib import Path

from sr.data.registration.side import Side
from sr.geo.scene import Raster, created, is_scene, opened
from sr.ops.staged import staged
from sr.pictures.picture import Picture
from sr.pictures.reading import read_picture
from sr.pictures.writing import TIFF, write_picture


@dataclass(frozen=True)
class Opened:
    """An image of a pair as its file has it.

    Attributes:
        path: the file.
        side: its values.
        picture: the picture, with its profile and transparency; None for a scene.
        loses_place: whether the file says where on Earth it lies and nothing is there to write that.
    """

    path: Path
    side: Side
    picture: Picture | None

    @property
    def loses_place(self) -> bool:
        return self.picture is not None and self.picture.georeferenced


def read_side(path: Path) -> Opened:
    """Read a file, by rasterio where it is a scene.

    Raises:
        UnreadableImageError: the file cannot be read as an image.
    """
    if is_scene(path):
        with opened(path) as reader:
            values, mask = reader.read(slice(0, reader.shape.height), slice(0, reader.shape.width))
            return Opened(path, Side(values, reader.shape.nodata, mask), None)
    picture = read_picture(path)
    cover = None if picture.alpha is None else picture.alpha[:, :, 0]
    return Opened(path, Side(picture.colour, picture.nodata, cover), picture)


def target_of(source: Path, *, root: Path, folder: Path) -> Path:
    """The file of a result: a TIFF stays a TIFF, all else becomes PNG."""
    kept = source.suffix.lower() in TIFF
    return (folder / source.relative_to(root)).with_suffix(source.suffix.lower() if kept else ".png")


def write_side(target: Path, side: Side, source: Opened, *, corner: tuple[float, float]) -> None:
    """Write an aligned image with all that its file keeps; a scene says where it now lies.

    Args:
        target: the file.
        side: the aligned image. Its values may be changed.
        source: the original.
        corner: the row and the column of the original where the image begins, in its pixels.

    Raises:
        OSError: the disk is full, or the like.
    """
    if source.picture is not None:
        alpha = None if side.cover is None else side.cover[:, :, None]
        write_picture(target, replace(source.picture, colour=side.values, alpha=alpha))
        return
    top, left = corner
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened(source.path) as reader, staged(target) as folder:
        raster = Raster(top=top, left=left, size=side.size)
        with created(folder / target.name, reader, raster=raster) as writer:
            writer.write(side.values, side.cover, top=0, left=0)
