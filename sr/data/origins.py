"""One data module for each origin of the training images."""

from dataclasses import dataclass
from itertools import compress

from sr.data.cache.cached_images import cached
from sr.data.datamodule import SRDataModule
from sr.data.exclusion import without
from sr.data.patches import PairedPatches, TrainingPatches, usable_files
from sr.data.sources import DeadLeavesImages, ImageFiles, ImageSource, match_pairs, sample_photographs
from sr.data.whole_images import WholeImages
from sr.pictures.picture import UnreadableImageError


@dataclass(kw_only=True, eq=False)
class FileData(SRDataModule):
    """Training images that are files.

    Args:
        cache: the place where decoded pixels are kept, so that each image is decoded only once: `none`, `disk` (between
            runs) or `ram` (shared memory of this machine, for this run). Validation always reads its files.
        cache_dir: the directory of `disk`; None takes `sr-lightning` among the user's caches.
        exclude: a list of files that are left out, see `sr.data.exclusion`; for pairs it names the HR files.
    """

    cache: str = "none"
    cache_dir: str | None = None
    exclude: str | None = None

    def _checked(self, images: ImageFiles) -> ImageFiles:
        return usable_files(
            images, smallest=self.hr_patch_size, small_images=self.small_images, on_error=self.on_error
        )

    def _cached(self, images: ImageFiles) -> ImageSource:
        return cached(images, cache=self.cache, cache_dir=self.cache_dir)


@dataclass(kw_only=True, eq=False)
class FolderData(FileData):
    """HR images of a directory, searched recursively.

    Args:
        train_dir: the directory.
    """

    train_dir: str

    def make_training(self) -> TrainingPatches:
        images = without(ImageFiles.from_directory(self.train_dir, channels=self.channels), self.exclude)
        images = self._checked(images)
        return self._synthesized(self._cached(images))


@dataclass(kw_only=True, eq=False)
class PairedData(FileData):
    """LR and HR directories, matched by name (`0001.png` with `0001.*` or `0001x4.*`).

    Args:
        train_dir, train_lr_dir: the directories of HR and LR for training.
        val_lr_dir: the directory of LR for `val_dir`; None makes LR by the degradation.
    """

    train_dir: str
    train_lr_dir: str
    val_lr_dir: str | None = None

    def make_training(self) -> TrainingPatches:
        hr = ImageFiles.from_directory(self.train_dir, channels=self.channels)
        lr = ImageFiles.from_directory(self.train_lr_dir, channels=self.channels)
        hr, lr = self._both_readable(*self._wanted(*match_pairs(hr, lr, scale=self.scale)))
        for index in range(len(hr)):
            (hr_height, hr_width), (height, width) = hr.size(index), lr.size(index)
            if (hr_height // self.scale, hr_width // self.scale) != (height, width):
                raise ValueError(
                    f"{lr.paths[index]} of {width} x {height} and {hr.paths[index]} of {hr_width} x {hr_height}"
                    f" pixels do not differ by scale={self.scale}"
                )
        return PairedPatches(
            hr=self._cached(hr),
            lr=self._cached(lr),
            scale=self.scale,
            hr_patch_size=self.hr_patch_size,
            augmentation=self._augment,
            sharpen=self.sharpen,
            on_error=self.on_error,
        )

    def _wanted(self, hr: ImageFiles, lr: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
        kept = without(hr, self.exclude)
        wanted = set(kept.paths)
        lr_paths = [lr_path for hr_path, lr_path in zip(hr.paths, lr.paths, strict=True) if hr_path in wanted]
        return kept, ImageFiles(lr_paths, root=lr.root, channels=lr.channels)

    def _both_readable(self, hr: ImageFiles, lr: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
        """Keep the pairs whose two files can both be used."""
        usable_hr = set(self._checked(hr).paths)
        lr_patch_size = self.hr_patch_size // self.scale
        usable_lr = set(
            usable_files(
                lr, smallest=lr_patch_size, small_images=self.small_images, on_error=self.on_error
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
        )
        return WholeImages(hr=hr, lr=lr, scale=self.scale)


@dataclass(kw_only=True, eq=False)
class SampleData(FileData):
    """The photographs inside the wheel of scikit-image: real pictures without a download."""

    def make_training(self) -> TrainingPatches:
        images = self._checked(without(sample_photographs("train", channels=self.channels), self.exclude))
        return self._synthesized(self._cached(images))


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
        return self._synthesized(
            DeadLeavesImages(
                num_images=self.num_images, size=self.image_size, seed=self.seed, channels=self.channels
            )
        )
