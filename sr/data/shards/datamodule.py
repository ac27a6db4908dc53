"""Training images in shards, on a disk or in object storage."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sr.data.datamodule import SRDataModule
from sr.data.patches import TrainingPatches
from sr.data.shards.cache import ShardCache, check_limit
from sr.data.shards.images import ShardImages, check_sizes, find_shards
from sr.data.shards.index import Shard
from sr.data.shards.order import ShardOrder
from sr.data.shards.patches import ShardPatches
from sr.data.shards.storage import Storage
from sr.data.sources import say
from sr.ops.user_caches import user_caches


@dataclass(kw_only=True, eq=False)
class ShardData(SRDataModule):
    """HR images in the shards that `sr-pack` makes.

    Args:
        url: the folder of the shards: a local path, which is read in place, or s3://, gs://, hf://, https://, ...
        shards_at_once: the number of shards that are shuffled into each other, see `sr.data.shards.order`.
        cache_dir: the directory for copies of shards from object storage; None takes `sr-lightning` among the user's
            caches.
        cache_gb: the size that these copies may have, in units of 10^9 bytes.
    """

    url: str
    shards_at_once: int = 8
    cache_dir: str | None = None
    cache_gb: float = 20

    def make_training(self) -> TrainingPatches:
        if self.shards_at_once < 1:
            raise ValueError(f"data.shards_at_once={self.shards_at_once} must be 1 or more")
        if self.degradation is None:
            raise ValueError(
                "data.degradation=null: these images have no LR files, so a degradation must make LR"
            )
        storage = Storage(self.url)
        shards = find_shards(storage)
        images = ShardImages(
            shards, storage=storage, cache=self._cache(storage, shards), channels=self.channels
        )
        say("%d images in %d shards of %s", len(images), len(shards), storage.url)
        if self.small_images == "raise":
            check_sizes(images, smallest=self.hr_patch_size)
        return ShardPatches(
            images=images,
            order=ShardOrder(shard_of=images.shard_of, shards_at_once=self.shards_at_once, seed=self.seed),
            degradation=self.degradation,
            hr_patch_size=self.hr_patch_size,
            augmentation=self._augment,
            sharpen=self.sharpen,
            on_error=self.on_error,
            normalisation=self.normalisation,
        )

    def _cache(self, storage: Storage, shards: list[Shard]) -> ShardCache | None:
        if storage.local is not None:
            if self.cache_dir:
                raise ValueError(
                    f"data.cache_dir={self.cache_dir} is where shards of object storage are kept, and"
                    f" data.url={self.url} is a local folder"
                )
            return None
        limit = int(self.cache_gb * 1e9)
        check_limit(shards, shards_at_once=self.shards_at_once, limit=limit)
        base = Path(self.cache_dir).expanduser() if self.cache_dir else user_caches()
        digest = hashlib.sha256(storage.url.encode()).hexdigest()
        return ShardCache(base / f"shards-{digest[:16]}", storage=storage, limit=limit)
