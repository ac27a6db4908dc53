"""The images of a validation, collected once for everybody who shows them, from all processes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch
from torch import Tensor

from sr.archs.bicubic import upsample_bicubic
from sr.loggers.validated import Pictures, ValidatedImage, ValidatedSet, by_quality
from sr.metrics.quantity import Metric, measure
from sr.ops.image import viewable


@dataclass(frozen=True)
class Kept:
    """An image of this process that may be shown, on the CPU: LR (C, h, w), SR and HR (C, H, W), where it has data."""

    lr: Tensor
    sr: Tensor
    hr: Tensor
    valid: Tensor | None


class ValidationImages:
    """Numbers of all images; pictures of the first ones, of the worst and of the best.

    Until the end of a validation a process keeps only the images that can still be shown.

    Args:
        count: the number of images, from the first of the set, that are shown whatever they are like.
        largest: the side in pixels of HR to which pictures are cut, around the middle; None shows whole images.
        metric: the metric of the validation.
        monitor: the metric that says which image is the worst and which the best.
        bands: three bands that are shown, see `sr.ops.image.viewable`.
    """

    def __init__(
        self,
        *,
        count: int,
        largest: int | None,
        metric: Metric,
        monitor: str,
        bands: Sequence[int] | None = None,
    ) -> None:
        self.bands = bands
        self.count = count
        self.largest = largest
        self.metric = metric
        self.monitor = monitor
        self.quantity = metric.quantities[monitor]
        self._images: dict[int, ValidatedImage] = {}
        self._kept: dict[int, Kept] = {}
        self._device = torch.device("cpu")

    def add(self, batch: Mapping[str, Any], *, sr: Tensor, values: Mapping[str, Tensor]) -> None:
        """Take a batch: `index`, `name`, `lr` and `hr`, SR (N, C, H, W), and name of the metric -> (N,)."""
        self._device = sr.device
        for place, index in enumerate(batch["index"].tolist()):
            self._images[index] = ValidatedImage(
                index=index,
                name=batch["name"][place],
                values={name: float(value[place]) for name, value in values.items()},
                bicubic={},
                pictures=None,
            )
            # Among those that are kept are the worst and the best so far.
            shown = self._shown({each: self._images[each] for each in (*self._kept, index)})
            if index in shown:
                lr, own, hr = (each[place].detach().float().cpu() for each in (batch["lr"], sr, batch["hr"]))
                valid = batch["valid"][place].cpu() if "valid" in batch else None
                self._kept[index] = Kept(lr=lr, sr=own, hr=hr, valid=valid)
            self._kept = {each: kept for each, kept in self._kept.items() if each in shown}

    def take(self, trainer: L.Trainer) -> ValidatedSet:
        """The validation as all processes have seen it; each must call this. The collection begins anew."""
        merged = dict(sorted(_from_all(trainer, self._images).items()))
        shown = self._shown(merged)
        merged |= _from_all(
            trainer, {each: self._with_pictures(each) for each in self._kept if each in shown}
        )
        self._images, self._kept = {}, {}
        return ValidatedSet(
            iteration=trainer.global_step,
            images=list(merged.values()),
            count=self.count,
            quantities=self.metric.quantities,
            monitor=self.monitor,
        )

    def _shown(self, images: Mapping[int, ValidatedImage]) -> set[int]:
        """The indices of those among these images that are shown."""
        if not self.count:
            return set()
        ordered = by_quality(images.values(), monitor=self.monitor, quantity=self.quantity)
        return {image.index for image in (*ordered[:1], *ordered[-1:])} | set(range(self.count))

    def _with_pictures(self, index: int) -> ValidatedImage:
        kept = self._kept[index]
        height, width = kept.hr.shape[-2:]
        # Where the metric is at home, which may be a net.
        lr, hr = (each[None].to(self._device) for each in (kept.lr, kept.hr))
        bicubic = bicubic_like(hr, lr=lr)
        valid = None if kept.valid is None else kept.valid[None].to(self._device)
        values = measure(self.metric, bicubic, hr, valid=valid)
        enlarged = cv2.resize(
            viewable(kept.lr, bands=self.bands), (width, height), interpolation=cv2.INTER_NEAREST
        )
        return replace(
            self._images[index],
            bicubic={name: float(value) for name, value in values.items()},
            pictures=Pictures(
                lr=self._cut(np.asarray(enlarged)),
                bicubic=self._cut(viewable(bicubic[0], bands=self.bands)),
                sr=self._cut(viewable(kept.sr, bands=self.bands)),
                hr=self._cut(viewable(kept.hr, bands=self.bands)),
            ),
        )

    def _cut(self, picture: np.ndarray) -> np.ndarray:
        if self.largest is None:
            return picture
        top, left = (max((side - self.largest) // 2, 0) for side in picture.shape[:2])
        return picture[top : top + self.largest, left : left + self.largest]


def bicubic_like(hr: Tensor, *, lr: Tensor) -> Tensor:
    """LR (N, C, h, w), enlarged by MATLAB's bicubic to the size of HR (N, C, H, W)."""
    return upsample_bicubic(lr, scale=hr.shape[-1] // lr.shape[-1])


def _from_all(trainer: L.Trainer, mine: dict[int, ValidatedImage]) -> dict[int, ValidatedImage]:
    """What all processes have, by index; each must call this."""
    merged: dict[int, ValidatedImage] = {}
    for rank in range(trainer.world_size):
        merged |= trainer.strategy.broadcast(mine if rank == trainer.global_rank else {}, src=rank)
    return merged
