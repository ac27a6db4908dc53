"""The data module that every origin of training images shares."""

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

import albumentations
import cv2
import lightning as L
from torch.utils.data import DataLoader, DistributedSampler

from sr.data.cache.cached_images import CachedImages
from sr.data.collating import collate
from sr.data.loading import TimedLoader, end_workers, prepare_worker
from sr.data.mixing.batch_mix import BatchMix, ChosenMix
from sr.data.patches import (
    Augmentation,
    SynthesizedPatches,
    TrainingPatches,
)
from sr.data.sampler import EndlessSampler
from sr.data.sources import ImageFiles, ImageSource, sample_photographs
from sr.data.whole_images import WholeImages
from sr.degradations.pipeline import Degradation
from sr.degradations.sharpen import UnsharpMask
from sr.ops.normalisation import Normalisation, normalisation
from sr.pictures.picture import UnreadableImageError

log = logging.getLogger(__name__)

OnError = Literal["raise", "skip"]
SmallImages = Literal["raise", "pad"]


@dataclass(kw_only=True, eq=False)
class SRDataModule(L.LightningDataModule):
    """LR/HR patches for training, whole images for validation.

    Args:
        scale: upscaling factor.
        channels: 1 gray, 3 RGB, n bands.
        degradation: HR -> LR of training.
        sharpen: HR -> target of the content losses; None takes HR itself.
        hr_patch_size: side of the HR patches, a multiple of scale.
        batch_size: patches per process and iteration.
        iterations_per_epoch: length of an epoch; None passes once over the images.
        val_dir: directory of validation images; None takes the photographs inside scikit-image.
        val_degradation: HR -> LR of validation; None takes that of training.
        val_seed: the seed of val_degradation's draws. It is not the seed of the run, so that every run validates on the
            same LR images.
        augmentation: albumentations transforms, applied alike to LR and HR.
        mixing: mixes of the pairs of a training batch by name (`sr.data.mixing`), computed on the device.
        num_workers: loader processes; 0 loads in the training process.
        on_error: the treatment of an unreadable training file: `raise`, or `skip` (counted and reported).
        small_images: the treatment of an image smaller than the patch: `raise`, or `pad` (mirrored).
        seed: the seed of everything random in training.
        normalise: the values of the files that become 0 and 1 for the net, see `sr.ops.normalisation.normalisation`;
            None takes the full range of 8 or 16 unsigned bits.

    Attributes:
        normalisation: the way between the values of files and those of the net.
    """

    scale: int
    hr_patch_size: int
    batch_size: int
    seed: int
    degradation: Degradation | None = None
    val_degradation: Degradation | None = None
    val_seed: int = 0
    sharpen: UnsharpMask | None = None
    channels: int = 3
    iterations_per_epoch: int | None = None
    val_dir: str | None = None
    augmentation: Sequence[albumentations.BasicTransform] = field(default_factory=list)
    mixing: Mapping[str, ChosenMix] = field(default_factory=dict)
    num_workers: int = 4
    on_error: OnError = "raise"
    small_images: SmallImages = "raise"
    normalise: str | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__init__()
        # Also a multiple of 8, because discriminators need one.
        fitting = max(self.hr_patch_size // (8 * self.scale), 1) * 8 * self.scale
        if self.hr_patch_size % self.scale or self.hr_patch_size <= 0:
            raise ValueError(
                f"data.hr_patch_size={self.hr_patch_size} must be a multiple of scale={self.scale}, such as {fitting}"
            )
        for key, least in (("batch_size", 1), ("num_workers", 0), ("seed", 0), ("val_seed", 0)):
            if getattr(self, key) < least:
                raise ValueError(f"data.{key}={getattr(self, key)} must be {least} or more")
        if self.iterations_per_epoch is not None and self.iterations_per_epoch < 1:
            raise ValueError(
                f"data.iterations_per_epoch={self.iterations_per_epoch} must be 1 or more, or null"
            )
        for key, kind in (("on_error", OnError), ("small_images", SmallImages)):
            choices = get_args(kind)
            if getattr(self, key) not in choices:
                raise ValueError(f"data.{key}={getattr(self, key)!r}: choose one of {', '.join(choices)}")
        self.normalisation: Normalisation = normalisation(self.normalise)
        self.normalisation.check(channels=self.channels)
        cv2.setNumThreads(0)  # OpenCV's pool beside torch's is slower than none
        for degradation in (self.degradation, self.val_degradation):
            if degradation is not None:
                degradation.check(channels=self.channels)
        # Here and not in `setup`, so that a bad transform or directory is found before loggers open a run.
        self._augment = Augmentation(self.augmentation)
        self._mix = BatchMix(mixes=self.mixing, batch_size=self.batch_size, seed=self.seed)
        self._training = self.make_training()
        self._validation = self.make_validation()

    # What a subclass decides

    @abstractmethod
    def make_training(self) -> TrainingPatches:
        """The training set; checks what it can before training starts."""

    def make_validation(self) -> WholeImages:
        """The validation set."""
        images = (
            ImageFiles.from_directory(self.val_dir, channels=self.channels)
            if self.val_dir
            else sample_photographs("val", channels=self.channels)
        )
        degradation = self.val_degradation or self.degradation
        if degradation is not None:
            self._refuse_identity(
                degradation, "validate on", "data.val_dir and data.val_lr_dir, which data=paired has"
            )
        return WholeImages(
            hr=images,
            scale=self.scale,
            degradation=degradation,
            seed=self.val_seed,
            normalisation=self.normalisation,
        )

    def check_validation(self, *, smallest: int) -> None:
        """See `WholeImages.check`."""
        self._validation.check(smallest=smallest)

    def listing(self) -> list[str]:
        """One line for each training image that identifies it: the path and the size in bytes of a file."""
        return self._training.listing()

    # Lightning

    def prepare_data(self) -> None:
        """Lightning calls this on the first process of a machine, before loggers open a run; the others wait for it."""
        if self.trainer is None or self.trainer.state.fn == "fit":
            self._open_caches()

    def setup(self, stage: str) -> None:
        if stage == "fit":
            self._open_caches()

    def train_dataloader(self) -> DataLoader[dict[str, Any]]:
        for cache in self._open_caches():
            cache.settle()  # Lightning calls this when all processes have been through `setup`
        trainer = self.trainer
        sampler = EndlessSampler(
            num_images=len(self._training),
            batch_size=self.batch_size,
            iterations_per_epoch=self.iterations_per_epoch,
            seed=self.seed,
            rank=trainer.global_rank if trainer else 0,
            world_size=trainer.world_size if trainer else 1,
            order=self._training.order,
            behind=partial(_iterations_behind, trainer),
        )
        return TimedLoader(
            self._training,
            batch_size=self.batch_size,
            sampler=sampler,
            collate_fn=collate,
            **self._loading(self.num_workers),
        )

    def val_dataloader(self) -> DataLoader[dict[str, Any]]:
        trainer = self.trainer
        sampler: DistributedSampler[Any] | None = None
        if trainer and trainer.world_size > 1:
            sampler = DistributedSampler(
                self._validation, num_replicas=trainer.world_size, rank=trainer.global_rank, shuffle=False
            )
        # Images have different sizes, so they come one by one.
        return DataLoader(
            self._validation, batch_size=1, sampler=sampler, **self._loading(min(1, self.num_workers))
        )

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Mix a batch of training. Lightning calls this for batches of validation too, which stay as they are."""
        trainer = self.trainer
        if not self.mixing or trainer is None or not trainer.training:
            return batch
        return self._mix(batch, process=trainer.global_rank, iteration=trainer.global_step)

    def teardown(self, stage: str) -> None:
        skipped = int(self._training.unreadable.sum())
        if skipped:
            log.warning("%d of %d training images were skipped as unreadable", skipped, len(self._training))

    def on_exception(self, exception: BaseException) -> None:
        """End all workers. Lightning ends only those of the active loop: during validation, not those of training."""
        assert self.trainer is not None
        loaders = (self.trainer.train_dataloader, self.trainer.val_dataloaders)
        end_workers([loader for loader in loaders if isinstance(loader, DataLoader)])

    def _open_caches(self) -> list[CachedImages]:
        """Open the caches of the training images and return them; an empty list without a cache."""
        caches = [source for source in self._training.sources() if isinstance(source, CachedImages)]
        for cache in caches:
            cache.open()
        unreadable = [error for cache in caches for error in cache.unreadable]
        if unreadable and self.on_error == "raise":
            others = f" (and {len(unreadable) - 1} other files)" if len(unreadable) > 1 else ""
            raise UnreadableImageError(f"{unreadable[0]}{others}")
        return caches

    def _loading(self, num_workers: int) -> dict[str, Any]:
        return {
            "num_workers": num_workers,
            "worker_init_fn": prepare_worker,
            "persistent_workers": num_workers > 0,
            "pin_memory": bool(self.trainer and self.trainer.strategy.root_device.type == "cuda"),
        }

    def synthesized(self, images: ImageSource) -> SynthesizedPatches:
        if self.degradation is None:
            raise ValueError(
                "data.degradation=null: these images have no LR files, so a degradation must make LR"
            )
        self._refuse_identity(self.degradation, "learn", "data=paired")
        return SynthesizedPatches(
            images=images,
            degradation=self.degradation,
            hr_patch_size=self.hr_patch_size,
            augmentation=self._augment,
            sharpen=self.sharpen,
            on_error=self.on_error,
            normalisation=self.normalisation,
        )

    def _refuse_identity(self, degradation: Degradation, purpose: str, pairs: str) -> None:
        """Raises ValueError where LR and HR would be equal; sharpened targets can be learned even then."""
        if self.sharpen is None and degradation.is_identity(channels=self.channels):
            raise ValueError(
                f"scale={self.scale}: this degradation leaves images as they are, so there is nothing to {purpose}:"
                f" choose another degradation, such as degradation=mild, or give LR files ({pairs})"
            )


def _iterations_behind(trainer: L.Trainer | None) -> int:
    """The number of batches taken so far, over all epochs and including those before a resume."""
    return trainer.fit_loop.epoch_loop.batch_progress.total.ready if trainer else 0
