"""One data module for each origin of the training images."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from sr.data.cache.cached_images import Cache, cached
from sr.data.datamodule import SRDataModule
from sr.data.exclusion import without
from sr.data.mixture import check_weights, joined, order_by_weight, parts_of
from sr.data.pairs import check_sizes, match_pairs
from sr.data.patches import PairedPatches, TrainingPatches, usable_files
from sr.data.registration.at_start import say_alignment
from sr.data.sources import DeadLeavesImages, ImageFiles, ImageSource, sample_photographs
from sr.data.whole_images import WholeImages
from sr.pictures.picture import UnreadableImageError


@dataclass(kw_only=True, eq=False)
class FileData(SRDataModule):
    """Training images that are files.

    Args:
        cache: the place where decoded pixels are kept, so that each image is decoded only once: `none`, `disk` (between
            runs) or `ram` (shared memory of this machine, for this run). Validation always reads its files.
        cache_dir: the directory of `disk`; None takes `sr-lightning` among the user's caches.
        exclude: a list of files that are left out, see `sr.data.exclusion`; for pairs it names the HR files. For
            several directories, a list for each of them, or None for one that leaves out nothing.
    """

    cache: Cache = "none"
    cache_dir: str | None = None
    exclude: str | Sequence[str | None] | None = None

    def _checked(self, images: ImageFiles) -> ImageFiles:
        return usable_files(
            images,
            smallest=self.hr_patch_size,
            small_images=self.small_images,
            on_error=self.on_error,
            unit=8 * self.scale,  # discriminators need a multiple of 8 too
            by=self.normalisation,
        )

    def _cached(self, images: ImageFiles) -> ImageSource:
        return cached(images, cache=self.cache, cache_dir=self.cache_dir)

    def _excluded(self, directories: int) -> list[str | None]:
        """The list of files to leave out of each directory."""
        if self.exclude is None:
            return [None] * directories
        lists: list[str | None] = [self.exclude] if isinstance(self.exclude, str) else list(self.exclude)
        if len(lists) != directories:
            raise ValueError(
                f"data.exclude={self.exclude}: give a list of files, or null, for each of the {directories} directories"
            )
        return lists


@dataclass(kw_only=True, eq=False)
class FolderData(FileData):
    """HR images of directories, searched recursively.

    Args:
        train_dir: the directory, or several.
        weights: the share of each directory in the training samples, in any unit; None takes every image equally often.
    """

    train_dir: str | Sequence[str]
    weights: Sequence[float] | None = None

    def make_training(self) -> TrainingPatches:
        directories = _as_list(self.train_dir)
        check_weights(self.weights, directories=len(directories))
        excluded = self._excluded(len(directories))
        parts = [self._part(*each) for each in zip(directories, excluded, strict=True)]
        patches = self.synthesized(joined(parts))
        if self.weights is not None:
            patches.order = order_by_weight(parts, weights=self.weights, seed=self.seed)
        return patches

    def _part(self, directory: str, excluded: str | None) -> ImageSource:
        images = ImageFiles.from_directory(directory, channels=self.channels)
        return self._cached(self._checked(without(images, excluded)))


@dataclass(kw_only=True, eq=False)
class PairedData(FileData):
    """LR and HR directories, matched by name (see `sr.data.pairs`).

    Args:
        train_dir: the directory of HR for training, or several.
        train_lr_dir: the directory of LR for each of them.
        val_lr_dir: the directory of LR for `val_dir`; None makes LR by the degradation.
        lr_name: the names of the LR files, such as "{name}x4"; None recognises the usual ones.
        weights: the share of each directory in the training samples, in any unit; None takes every pair equally often.
    """

    train_dir: str | Sequence[str]
    train_lr_dir: str | Sequence[str]
    val_lr_dir: str | None = None
    lr_name: str | None = None
    weights: Sequence[float] | None = None

    def make_training(self) -> TrainingPatches:
        hr_dirs, lr_dirs = _as_list(self.train_dir), _as_list(self.train_lr_dir)
        if len(hr_dirs) != len(lr_dirs):
            raise ValueError(
                f"data.train_dir={hr_dirs} and data.train_lr_dir={lr_dirs}: give an LR directory for each HR directory"
            )
        check_weights(self.weights, directories=len(hr_dirs))
        excluded = self._excluded(len(hr_dirs))
        pairs = [self._pairs(*each) for each in zip(hr_dirs, lr_dirs, excluded, strict=True)]
        hr, lr = ([self._cached(pair[side]) for pair in pairs] for side in (0, 1))
        patches = PairedPatches(
            hr=joined(hr),
            lr=joined(lr),
            scale=self.scale,
            hr_patch_size=self.hr_patch_size,
            augmentation=self._augment,
            sharpen=self.sharpen,
            on_error=self.on_error,
            normalisation=self.normalisation,
        )
        if self.weights is not None:
            patches.order = order_by_weight(hr, weights=self.weights, seed=self.seed)
        return patches

    def setup(self, stage: str) -> None:
        """Look at a few pairs of each directory, when their caches are open."""
        super().setup(stage)
        training = self._training
        if stage != "fit" or not isinstance(training, PairedPatches):
            return
        folders = zip(_as_list(self.train_dir), _as_list(self.train_lr_dir), strict=True)
        for hr, lr, names in zip(parts_of(training.hr), parts_of(training.lr), folders, strict=True):
            say_alignment(hr, lr, scale=self.scale, folders=names, lr_name=self.lr_name)

    def _pairs(self, hr_dir: str, lr_dir: str, excluded: str | None) -> tuple[ImageFiles, ImageFiles]:
        """The usable pairs of two directories, in one order."""
        hr = ImageFiles.from_directory(hr_dir, channels=self.channels)
        lr = ImageFiles.from_directory(lr_dir, channels=self.channels)
        hr, lr = match_pairs(hr, lr, scale=self.scale, lr_name=self.lr_name)
        hr, lr = self._both_readable(*_wanted(hr, lr, excluded))
        check_sizes(hr, lr, scale=self.scale)
        return hr, lr

    def _both_readable(self, hr: ImageFiles, lr: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
        """Keep the pairs whose two files can both be used."""
        usable_hr = set(self._checked(hr).paths)
        lr_patch_size = self.hr_patch_size // self.scale
        usable_lr = set(
            usable_files(
                lr,
                smallest=lr_patch_size,
                small_images=self.small_images,
                on_error=self.on_error,
                unit=8,
                enlarged=self.scale,
                by=self.normalisation,
            ).paths
        )
        kept = [a in usable_hr and b in usable_lr for a, b in zip(hr.paths, lr.paths, strict=True)]
        hr_paths, lr_paths = (list(compress(files.paths, kept)) for files in (hr, lr))
        if not hr_paths:
            raise UnreadableImageError(f"no pair of {hr.root} and {lr.root} can be read")
        return (
            ImageFiles(hr_paths, root=hr.root, channels=hr.channels),
            ImageFiles(lr_paths, root=lr.root, channels=lr.channels),
        )

    def make_validation(self) -> WholeImages:
        if self.val_lr_dir and not self.val_dir:
            raise ValueError(
                f"data.val_lr_dir={self.val_lr_dir} needs data.val_dir, the directory of HR files with the same names"
            )
        if not (self.val_dir and self.val_lr_dir):
            return super().make_validation()
        hr, lr = match_pairs(
            ImageFiles.from_directory(self.val_dir, channels=self.channels),
            ImageFiles.from_directory(self.val_lr_dir, channels=self.channels),
            scale=self.scale,
            lr_name=self.lr_name,
        )
        return WholeImages(hr=hr, lr=lr, scale=self.scale, normalisation=self.normalisation)


@dataclass(kw_only=True, eq=False)
class SampleData(FileData):
    """The photographs inside the wheel of scikit-image: real pictures without a download."""

    def make_training(self) -> TrainingPatches:
        images = without(sample_photographs("train", channels=self.channels), *self._excluded(1))
        return self.synthesized(self._cached(self._checked(images)))


@dataclass(kw_only=True, eq=False)
class DeadLeavesData(SRDataModule):
    """Procedural images.

    Args:
        num_images: the number of images to render.
        image_size: the side of each image in pixels, at least hr_patch_size.
    """

    num_images: int
    image_size: int

    def make_training(self) -> TrainingPatches:
        if self.num_images < 1:
            raise ValueError(f"data.num_images={self.num_images} must be 1 or more")
        if self.image_size < self.hr_patch_size:
            raise ValueError(
                f"data.image_size={self.image_size} is less than data.hr_patch_size={self.hr_patch_size}"
            )
        return self.synthesized(
            DeadLeavesImages(
                num_images=self.num_images, size=self.image_size, seed=self.seed, channels=self.channels
            )
        )


def _as_list(value: str | Sequence[str]) -> list[str]:
    """One directory, or several, as a list.

    Raises:
        ValueError: there is none.
    """
    if not value:
        raise ValueError(
            "data.train_dir or data.train_lr_dir is empty: name a directory, or several as [a,b]"
        )
    return [value] if isinstance(value, str) else list(value)


def _wanted(hr: ImageFiles, lr: ImageFiles, excluded: str | None) -> tuple[ImageFiles, ImageFiles]:
    """The pairs whose HR file is not in the list."""
    kept = without(hr, excluded)
    wanted = set(kept.paths)
    lr_paths = [lr_path for hr_path, lr_path in zip(hr.paths, lr.paths, strict=True) if hr_path in wanted]
    return kept, ImageFiles(lr_paths, root=lr.root, channels=lr.channels)
