"""A batch in parts that are computed one after the other."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from lightning.pytorch.strategies import ParallelStrategy, Strategy
from torch import Tensor

from sr.ops.masked import known

Batch = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class MicroBatch:
    """A part of a batch.

    Attributes:
        lr: (N, C, h, w) in [0, 1].
        hr: (N, C, H, W) in [0, 1], what a discriminator sees as real.
        target: (N, C, H, W), what the content losses compare with: `hr`, unless the batch has a "target" of its own,
            as Real-ESRGAN's sharpened HR (Wang et al., 2021, sec. 3.4).
        valid: (N, C, H, W) bool, where HR has data; None where all of it has.
        exchange: the context of the backward pass, which says whether processes exchange gradients in it.
    """

    lr: Tensor
    hr: Tensor
    target: Tensor
    exchange: AbstractContextManager[None]
    valid: Tensor | None = None

    def beside_target(self, sr: Tensor) -> Tensor:
        """Generated images as the content losses see them: with the values of `target` where there is no data."""
        return known(sr, self.target, self.valid)

    def beside_hr(self, sr: Tensor) -> Tensor:
        """Generated images as a discriminator sees them: with the values of `hr` where there is no data."""
        return known(sr, self.hr, self.valid)


def micro_batches(batch: Batch, *, count: int, strategy: Strategy) -> Iterator[MicroBatch]:
    """Cut a batch, whose size is a multiple of `count`, into `count` parts of equal size."""
    images = (batch["lr"], batch["hr"], batch.get("target", batch["hr"]))
    masks = batch["valid"].chunk(count) if "valid" in batch else [None] * count
    for number, (lr, hr, target, valid) in enumerate(
        zip(*(part.chunk(count) for part in images), masks, strict=True), start=1
    ):
        # Gradients are exchanged between processes once, with the last part.
        exchange: AbstractContextManager[None] = nullcontext()
        if isinstance(strategy, ParallelStrategy) and number < count:
            exchange = strategy.block_backward_sync()
        yield MicroBatch(lr=lr, hr=hr, target=target, exchange=exchange, valid=valid)
