"""Training samples of images in shards."""

from torch import Tensor

from sr.data.patches import Augmentation, SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.shards.cache import AHEAD
from sr.data.shards.images import ShardImages
from sr.data.shards.order import ShardOrder
from sr.degradations.pipeline import Degradation
from sr.degradations.sharpen import UnsharpMask
from sr.ops.normalisation import FULL_RANGE, Normalisation


class ShardPatches(SynthesizedPatches):
    """`SynthesizedPatches` in the order of shards, while the next shards are fetched in the background."""

    def __init__(
        self,
        *,
        images: ShardImages,
        order: ShardOrder,
        degradation: Degradation,
        hr_patch_size: int,
        augmentation: Augmentation,
        sharpen: UnsharpMask | None,
        on_error: str,
        normalisation: Normalisation = FULL_RANGE,
    ) -> None:
        super().__init__(
            images=images,
            degradation=degradation,
            hr_patch_size=hr_patch_size,
            augmentation=augmentation,
            sharpen=sharpen,
            on_error=on_error,
            normalisation=normalisation,
        )
        self.shards = images
        self.order: ShardOrder = order

    def __getitem__(self, draw: Draw) -> dict[str, Tensor]:
        if self.shards.cache is not None:
            _, position = draw.seed
            self.shards.fetch(self.order.upcoming(position, count=AHEAD))
        return super().__getitem__(draw)
