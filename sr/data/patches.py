"""Training samples: a window of an image, augmented, as a pair of LR and HR patches."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import albumentations
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sr.data.cache.pixel_file import expect_rows
from sr.data.collating import VALID
from sr.data.mixture import parts_of
from sr.data.sampler import Draw
from sr.data.sources import ImageFiles, ImageSource, check_type, nodata_of, say_conversions
from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError
from sr.degradations.sharpen import UnsharpMask
from sr.ops.crop import cut, draw_corner, pad_to
from sr.ops.image import contiguous, to_tensor
from sr.ops.no_data import has_data
from sr.ops.normalisation import FULL_RANGE, Normalisation, for_net
from sr.pictures.picture import Header, UnreadableImageError

log = logging.getLogger(__name__)

PLACES = 8  # that are drawn at most for a patch with data


class Augmentation:
    """albumentations transforms on (H, W, C) float32 images in [0, 1], reproducible from a seed.

    Args:
        transforms: applied in order.

    Raises:
        ValueError: a transform was built with an argument that it does not know.
    """

    def __init__(self, transforms: Sequence[albumentations.BasicTransform]) -> None:
        # Without `strict`, an unknown argument only causes a warning.
        self.compose = albumentations.Compose(list(transforms), strict=True)

    def __call__(self, image: np.ndarray, *, seed: int) -> np.ndarray:
        self.compose.set_random_seed(seed)
        return contiguous(np.asarray(self.compose(image=image)["image"]))

    def with_mask(
        self, image: np.ndarray, valid: np.ndarray | None, *, seed: int
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """An image and, moved alike, where it has data: (H, W, C) bool, or None where it has data everywhere."""
        if valid is None:
            return self(image, seed=seed), None
        self.compose.set_random_seed(seed)
        done = self.compose(image=image, mask=valid.astype(np.uint8))
        return contiguous(np.asarray(done["image"])), np.ascontiguousarray(done["mask"]) > 0


class TrainingPatches(Dataset[dict[str, Tensor]]):
    """`{"lr": (C, p / scale, p / scale), "hr": (C, p, p)}` float32 in [0, 1] for a `Draw`.

    With `sharpen` there is also "target": the sharpened HR, which content losses compare with. Where HR lacks data
    there is "valid" too, (C, p, p) bool, and pixels without data have the value of the nearest one with data.

    Both kinds of training set treat an unreadable file alike: it ends the run with its name, or it is replaced by
    the next image, and remembered in `unreadable`, which all worker processes share.
    """

    # A function lap -> every image once; None leaves the order to EndlessSampler: loose files can be read in any.
    order: Callable[[int], np.ndarray] | None = None

    def __init__(
        self, *, num_images: int, augmentation: Augmentation, sharpen: UnsharpMask | None, on_error: str
    ) -> None:
        self.augmentation = augmentation
        self.sharpen = sharpen
        self.on_error = on_error
        self.unreadable = torch.zeros(num_images, dtype=torch.bool)
        self.unreadable.share_memory_()  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self.unreadable)

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        for step in range(len(self)):
            index = (draw.image + step) % len(self)
            if self.unreadable[index]:
                continue
            try:
                return {key: to_tensor(image) for key, image in self.sample(index, draw.rng()).items()}
            except UnreadableImageError as error:
                if self.on_error == "raise":
                    raise
                self.unreadable[index] = True
                log.warning("skipped: %s", error)
        raise UnreadableImageError(f"none of the {len(self)} training images can be read")

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The patches of one image by their key in the batch, (H, W, C) float32."""
        raise NotImplementedError

    def sources(self) -> list[ImageSource]:
        """The sources of the images."""
        raise NotImplementedError

    def listing(self) -> list[str]:
        """One line for each image that identifies it."""
        raise NotImplementedError


class SynthesizedPatches(TrainingPatches):
    """Cuts HR patches and makes LR by a degradation, from the sharpened HR where there is one, as published."""

    def __init__(
        self,
        *,
        images: ImageSource,
        degradation: Degradation,
        hr_patch_size: int,
        augmentation: Augmentation,
        sharpen: UnsharpMask | None,
        on_error: str,
        normalisation: Normalisation = FULL_RANGE,
    ) -> None:
        super().__init__(
            num_images=len(images), augmentation=augmentation, sharpen=sharpen, on_error=on_error
        )
        self.normalisation = normalisation
        self.images = images
        self.degradation = degradation
        self.hr_patch_size = hr_patch_size

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        chain, size = self.degradation, self.hr_patch_size
        image, nodata = pad_to(self.images[index], size), nodata_of(self.images, index)
        top, left = corner_with_data(image, size, rng, nodata=nodata)
        reach = chain.margin + chain.jitter * chain.scale
        expect_rows(image, top - reach, top + size + reach)
        around = cut(image, top - reach, left - reach, size + 2 * reach)
        around, valid = for_net(around, nodata=nodata, by=self.normalisation)
        around, valid = self.augmentation.with_mask(around, valid, seed=int(rng.integers(2**31)))
        # The position of the patch in its window, in LR pixels; without jitter it is in the middle.
        y, x = chain.margin // chain.scale + rng.integers(-chain.jitter, chain.jitter + 1, size=2)
        place = (reach - y * chain.scale, reach - x * chain.scale, size + 2 * chain.margin)
        window = cut(around, *place)
        target = self.sharpen(window) if self.sharpen else window
        try:
            as_saved = partial(self.normalisation.as_saved, dtype=image.dtype)
            lr = chain.draw(rng).apply(target, as_saved=as_saved)
        except DegradationError as error:
            raise DegradationError(f"{self.images.name(index)}: {error}") from error
        patches = {"hr": window, "target": target} if self.sharpen else {"hr": window}
        if valid is not None:
            patches[VALID] = cut(valid, *place)
        patches = {key: cut(image, y * chain.scale, x * chain.scale, size) for key, image in patches.items()}
        return {"lr": cut(lr, y, x, size // chain.scale), **patches}

    def sources(self) -> list[ImageSource]:
        return parts_of(self.images)

    def listing(self) -> list[str]:
        return self.images.listing()


class PairedPatches(TrainingPatches):
    """Cuts the same region out of LR and HR images that come in the same order."""

    def __init__(
        self,
        *,
        hr: ImageSource,
        lr: ImageSource,
        scale: int,
        hr_patch_size: int,
        augmentation: Augmentation,
        sharpen: UnsharpMask | None,
        on_error: str,
        normalisation: Normalisation = FULL_RANGE,
    ) -> None:
        super().__init__(num_images=len(hr), augmentation=augmentation, sharpen=sharpen, on_error=on_error)
        self.normalisation = normalisation
        self.hr = hr
        self.lr = lr
        self.scale = scale
        self.lr_patch_size = hr_patch_size // scale

    def sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        lr, hr = self.lr[index], self.hr[index]
        # HR may have rows that LR lacks; mirrored, they would be in another position.
        hr = hr[: lr.shape[0] * self.scale, : lr.shape[1] * self.scale]
        lr, hr = pad_to(lr, self.lr_patch_size), pad_to(hr, self.lr_patch_size * self.scale)
        nodata, hr_nodata = nodata_of(self.lr, index), nodata_of(self.hr, index)
        hr_patch_size = self.lr_patch_size * self.scale
        top, left = corner_with_data(hr, hr_patch_size, rng, nodata=hr_nodata, step=self.scale)
        expect_rows(hr, top * self.scale, (top + self.lr_patch_size) * self.scale)
        lr, known = for_net(cut(lr, top, left, self.lr_patch_size), nodata=nodata, by=self.normalisation)
        hr = cut(hr, top * self.scale, left * self.scale, hr_patch_size)
        hr, valid = for_net(hr, nodata=hr_nodata, by=self.normalisation)
        valid = both_valid(valid, known, scale=self.scale)
        # albumentations refuses images of unequal size in one call; the same seed draws the same transform.
        seed = int(rng.integers(2**31))
        hr, valid = self.augmentation.with_mask(hr, valid, seed=seed)
        patches = {"lr": self.augmentation(lr, seed=seed), "hr": hr}
        if valid is not None:
            patches[VALID] = valid
        return patches | ({"target": self.sharpen(patches["hr"])} if self.sharpen else {})

    def sources(self) -> list[ImageSource]:
        return [*parts_of(self.hr), *parts_of(self.lr)]

    def listing(self) -> list[str]:
        return [f"hr {line}" for line in self.hr.listing()] + [f"lr {line}" for line in self.lr.listing()]


def corner_with_data(
    image: np.ndarray, size: int, rng: np.random.Generator, *, nodata: float | None, step: int = 1
) -> tuple[int, int]:
    """The top and left of a random square of `size`, half of which has data, if `PLACES` draws find one.

    Both are in units of `step` pixels, of which the square and the image are multiples.
    """
    for _ in range(PLACES):
        top, left = draw_corner(image[::step, ::step], size // step, rng)
        valid = has_data(cut(image, top * step, left * step, size), nodata=nodata)
        if valid is None or 2 * np.count_nonzero(valid) >= valid.size:
            break
    return top, left


def both_valid(hr: np.ndarray | None, lr: np.ndarray | None, *, scale: int) -> np.ndarray | None:
    """Where HR has data, (H, W, C) bool, and the pixel of LR at its place too; None: everywhere."""
    if lr is None:
        return hr
    known = lr.repeat(scale, axis=0).repeat(scale, axis=1)
    return known if hr is None else hr & known


def usable_files(
    images: ImageFiles,
    *,
    smallest: int,
    small_images: str,
    on_error: str,
    unit: int,
    enlarged: int = 1,
    by: Normalisation = FULL_RANGE,
) -> ImageFiles:
    """Keep the files that training can use, by their headers, before it starts.

    Args:
        images: the files.
        smallest: the side of a patch of these images in pixels.
        small_images: the treatment of a smaller image: `raise`, or `pad`.
        on_error: the treatment of an unreadable file: `raise`, or `skip`.
        unit: the number of which the side of a patch has to be a multiple.
        enlarged: the factor by which data.hr_patch_size is larger than `smallest`.
        by: the way from stored values to those of a net.

    Raises:
        UnreadableImageError: a file cannot be read as an image, or has a type that needs data.normalise, and on_error
            is "raise".
        ValueError: an image is smaller than the patch and small_images is "raise".
    """
    usable: dict[Path, Header] = {}
    for index, path in enumerate(images.paths):
        try:
            header = images.header(index)
            check_type(path, header, by=by)
        except UnreadableImageError as error:
            if on_error == "raise":
                raise
            log.warning("skipped: %s", error)
            continue
        usable[path] = header
    if small_images == "raise":
        _refuse_small(usable, smallest=smallest, unit=unit, enlarged=enlarged)
    if len(usable) < len(images):
        log.warning("%d of %d files in %s were skipped", len(images) - len(usable), len(images), images.root)
    if not usable:
        raise UnreadableImageError(f"none of the {len(images)} files in {images.root} can be read")
    kept = ImageFiles(list(usable), root=images.root, channels=images.channels)
    say_conversions(kept, list(usable.values()))
    return kept


def _refuse_small(headers: Mapping[Path, Header], *, smallest: int, unit: int, enlarged: int) -> None:
    """Raises ValueError where images are smaller than a patch, with the words that help."""
    sides = {path: min(header.height, header.width) for path, header in headers.items()}
    small = [path for path, side in sides.items() if side < smallest]
    if not small:
        return
    worst = min(small, key=lambda path: sides[path])
    fitting = sides[worst] // unit * unit * enlarged
    raise ValueError(
        f"{len(small)} of {len(headers)} images are smaller than a patch of {smallest}, the smallest is {worst} of"
        f" {headers[worst].width} x {headers[worst].height} pixels: write data.small_images=pad, which mirrors them"
        + (f", or data.hr_patch_size={fitting}, which all of them fill" if fitting else "")
    )
