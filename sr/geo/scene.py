"""Scenes: TIFFs that say where on Earth they lie, read and written window by window."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sr.geo.library import has_rasterio, import_rasterio
from sr.pictures.picture import UnreadableImageError

SUFFIXES = (".tif", ".tiff")
TYPES = ("uint8", "uint16", "int16", "float32")
CACHE = 256 * 2**20  # bytes of blocks that GDAL may keep; its default is a twentieth of all memory


@dataclass(frozen=True)
class Shape:
    """What a scene is, before its pixels are read.

    Attributes:
        height: pixels.
        width: pixels.
        bands: the number of bands, without alpha.
        dtype: the type of the values.
        nodata: the value that stands for no data, or None.
        masked: whether a mask or an alpha band says where there are data.
    """

    height: int
    width: int
    bands: int
    dtype: np.dtype
    nodata: float | None
    masked: bool


def is_scene(path: Path) -> bool:
    """Whether a file is a TIFF with a place on Earth, as far as rasterio is there to say so."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file() or not has_rasterio():
        return False
    rasterio = import_rasterio()
    try:
        with _environment(), rasterio.open(path, driver="GTiff") as source:
            return bool(source.crs or source.gcps[0] or source.rpcs or not source.transform.is_identity)
    except rasterio.errors.RasterioError:
        return False  # the reader of pictures says what is wrong with it


class Reader:
    """An open scene; alpha is none of its bands.

    Args:
        source: the dataset of rasterio.
        path: its file, for messages.

    Raises:
        UnreadableImageError: values of a type that is not read, or a table of colours.
    """

    def __init__(self, source: Any, path: Path) -> None:
        self.source, self._path = source, path
        alpha = import_rasterio().enums.ColorInterp.alpha
        palette = import_rasterio().enums.ColorInterp.palette
        self.indexes = [
            i for i, kind in zip(source.indexes, source.colorinterp, strict=True) if kind != alpha
        ]
        self.has_alpha = len(self.indexes) < source.count
        kinds = sorted(set(source.dtypes))
        if len(kinds) > 1 or kinds[0] not in TYPES:
            raise UnreadableImageError(
                f"{path}: its bands are {', '.join(kinds)}; read are scenes of one of {', '.join(TYPES)}"
            )
        if palette in source.colorinterp:
            raise UnreadableImageError(
                f"{path}: has a table of colours, whose numbers are classes and no levels"
            )
        flags = import_rasterio().enums.MaskFlags
        kept = [set(source.mask_flag_enums[i - 1]) for i in self.indexes]
        masked = any(flags.per_dataset in each for each in kept)
        self.shape = Shape(
            source.height, source.width, len(self.indexes), np.dtype(kinds[0]), source.nodata, masked
        )

    def read(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray | None]:
        """(h, w, bands) stored values, and (h, w) bool where a mask or alpha says that there are data, or None.

        Raises:
            UnreadableImageError: the pixels are damaged.
        """
        window = (rows.start, rows.stop), (columns.start, columns.stop)
        try:
            values = self.source.read(self.indexes, window=window).transpose(1, 2, 0)
            mask = self.source.read_masks(self.indexes[0], window=window) > 0 if self.shape.masked else None
        except import_rasterio().errors.RasterioIOError as error:
            raise UnreadableImageError(f"{self._path}: damaged: {error}") from error
        return np.ascontiguousarray(values), mask


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """A scene to read from. Raises UnreadableImageError."""
    rasterio = import_rasterio()
    with _environment():
        try:
            source = rasterio.open(path, driver="GTiff")
        except rasterio.errors.RasterioIOError as error:
            raise UnreadableImageError(f"{path}: {error}") from error
        with source:
            yield Reader(source, path)


class Writer:
    """A scene that is written window by window.

    Args:
        target: the dataset of rasterio.
        reader: the scene that it is made of.
    """

    def __init__(self, target: Any, reader: Reader) -> None:
        self.target = target
        self._reader = reader

    def write(self, values: np.ndarray, mask: np.ndarray | None, *, top: int, left: int) -> None:
        """(h, w, bands) stored values at a place, with (h, w) bool where there are data."""
        height, width = values.shape[:2]
        window = (top, top + height), (left, left + width)
        self.target.write(values.transpose(2, 0, 1), self._reader.indexes, window=window)
        if mask is None:
            return
        if self._reader.has_alpha:
            full = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
            alpha = next(i for i in self.target.indexes if i not in self._reader.indexes)
            self.target.write(np.where(mask, full, 0).astype(values.dtype), alpha, window=window)
        else:
            self.target.write_mask(mask, window=window)


@dataclass(frozen=True)
class Raster:
    """The pixels of a scene that is made of another one.

    Attributes:
        scale: the number of new pixels that lie side by side in a pixel of the original.
        top: the row of the original where the new scene begins, in its pixels, which may lie within one.
        left: the column, likewise.
        size: (height, width) in new pixels; None: that of the original times the scale.
    """

    scale: int = 1
    top: float = 0.0
    left: float = 0.0
    size: tuple[int, int] | None = None


@contextmanager
def created(path: Path, reader: Reader, *, raster: Raster) -> Iterator[Writer]:
    """A new scene in the pixels of `raster`, at its place on Earth and with the words of the original about it.

    Coordinate system, transform, control points and coefficients of a camera model, no-data value, names, units,
    scales and offsets of bands, colour interpretation and tags are those of the original, as far as they do not change
    with the pixels. It is tiled and compressed without loss; above 4 GB it is a BigTIFF. If the original has overviews,
    the new one gets its own.

    Raises:
        OSError: the disk is full, or the like.
    """
    rasterio = import_rasterio()
    source = reader.source
    height, width = raster.size or (source.height * raster.scale, source.width * raster.scale)
    place = source.transform
    if (
        not place.is_identity
    ):  # which says that there is none; control points or a camera model say where it lies
        place = place @ place.translation(raster.left, raster.top) @ place.scale(1 / raster.scale)
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": source.count,
        "dtype": reader.shape.dtype.name,
        "crs": source.crs,
        "transform": place,
        "nodata": source.nodata,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "deflate",
        "predictor": 3 if reader.shape.dtype.kind == "f" else 2,
        "interleave": "pixel" if source.count <= 4 else "band",
        "bigtiff": "if_safer",
        "photometric": source.photometric.name if source.photometric is not None else "minisblack",
    }
    if profile["photometric"] not in ("rgb", "minisblack"):
        profile["photometric"] = "rgb" if reader.shape.bands == 3 else "minisblack"
    try:
        with _environment(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
            _describe(target, source, raster)
            yield Writer(target, reader)
        if source.overviews(reader.indexes[0]):
            _add_overviews(path)
    except rasterio.errors.RasterioIOError as error:
        raise OSError(f"{path}: {error}") from error


def _describe(target: Any, source: Any, raster: Raster) -> None:
    target.descriptions, target.units = source.descriptions, source.units
    target.scales, target.offsets = source.scales, source.offsets
    target.colorinterp = source.colorinterp
    target.update_tags(**_kept(source.tags()))
    for band in source.indexes:
        target.update_tags(band, **_kept(source.tags(band)))
    points, system = source.gcps
    if points:
        for point in points:
            point.row = (point.row - raster.top) * raster.scale
            point.col = (point.col - raster.left) * raster.scale
        target.gcps = points, system
    if source.rpcs:
        target.rpcs = _camera(source.rpcs, raster)


def _kept(tags: dict[str, str]) -> dict[str, str]:
    """Tags without the statistics, which are those of the original pixels."""
    return {key: value for key, value in tags.items() if not key.startswith("STATISTICS_")}


def _camera(camera: Any, raster: Raster) -> Any:
    """Rational polynomial coefficients for other pixels: the centre of a pixel is half a pixel from its corner."""
    for axis, corner in (("line", raster.top), ("samp", raster.left)):
        offset = f"{axis}_off"
        setattr(camera, offset, (getattr(camera, offset) + 0.5 - corner) * raster.scale - 0.5)
        setattr(camera, f"{axis}_scale", getattr(camera, f"{axis}_scale") * raster.scale)
    return camera


def _add_overviews(path: Path) -> None:
    rasterio = import_rasterio()
    with _environment(GDAL_TIFF_OVR_BLOCKSIZE=512), rasterio.open(path, "r+") as target:
        factors = _factors(target.height, target.width)
        if factors:
            target.build_overviews(factors, rasterio.enums.Resampling.average)


def _factors(height: int, width: int) -> Sequence[int]:
    """2, 4, 8 and so on, until an overview has 256 pixels or less on its longer side."""
    factors: list[int] = []
    while max(height, width) / 2 ** (len(factors)) > 256:
        factors.append(2 ** (len(factors) + 1))
    return factors


def cloud_optimised(path: Path) -> None:
    """Lay a scene out as a Cloud Optimized GeoTIFF, with overviews, in place."""
    rasterio = import_rasterio()
    laid_out = path.with_name(f"{path.stem}.cog")
    with _environment():
        rasterio.shutil.copy(
            path,
            laid_out,
            driver="COG",
            compress="deflate",
            predictor="yes",
            bigtiff="if_safer",
            blocksize=512,
        )
    laid_out.replace(path)


@contextmanager
def _environment(**options: Any) -> Iterator[None]:
    """GDAL with a small cache. That a TIFF has no place is what `is_scene` asks, and nothing to warn of."""
    rasterio = import_rasterio()
    with rasterio.Env(GDAL_CACHEMAX=CACHE, **options), warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        yield
