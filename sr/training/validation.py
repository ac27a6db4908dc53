"""What validation computes for whole images: the metric, and the losses of their central patches."""

from collections.abc import Callable

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from sr.metrics.mean import set_mean
from sr.metrics.precision import full_precision
from sr.metrics.quantity import Metric, measure
from sr.ops.crop import middle
from sr.ops.masked import known
from sr.training.image_values import ImageValues
from sr.training.step_values import Losses

Gather = Callable[[Tensor], Tensor]


class Validation:
    """Collects the values of images, each image once, whichever process has it.

    Args:
        metric: the metric of whole images.
        loss_patch_size: the side, in HR pixels, of the central patch of each image that the losses are computed for;
            they are comparable with those of training if its patches are as large. None computes no losses.
    """

    def __init__(self, *, metric: Metric, loss_patch_size: int | None) -> None:
        self.metric = metric
        self.loss_patch_size = loss_patch_size
        self._measured = ImageValues()
        self._losses = ImageValues()

    def add(
        self,
        index: Tensor,
        *,
        sr: Tensor,
        hr: Tensor,
        losses: Callable[[Tensor, Tensor], Losses],
        valid: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Take the values of some images; returns those of the metric, name -> (N,).

        Args:
            index: (N,) the indices of the images in their set.
            sr: (N, C, H, W) the generated images.
            hr: (N, C, H, W) in [0, 1].
            losses: (sr, hr), both (1, C, size, size) -> losses.
            valid: (N, C, H, W) bool, where HR has data; None where all of it has.
        """
        measured = measure(self.metric, sr, hr, valid=valid)
        self._measured.add(index, [*measured.values()])
        if self.loss_patch_size is not None:
            pairs = zip(torch.split(known(sr, hr, valid), 1), torch.split(hr, 1), strict=True)
            found = [_central_losses(*pair, size=self.loss_patch_size, losses=losses) for pair in pairs]
            self._losses.add(index, torch.stack(found).unbind(dim=1))
        return measured

    def take_metrics(self, gather: Gather) -> dict[str, Tensor]:
        """Means over all images by name; `gather` is Lightning's `all_gather`. The collection begins anew."""
        return dict(zip(self.metric.quantities, set_mean(self._measured.take(gather)), strict=True))

    def take_losses(self, gather: Gather) -> dict[str, Tensor]:
        """`loss_g` and `loss_d`: means over the images that have them. The collection begins anew."""
        if self.loss_patch_size is None:
            return {}
        losses = self._losses.take(gather)
        smaller = int(losses[:, 0].isnan().sum())
        if smaller:
            rank_zero_warn(
                f"{smaller} of {len(losses)} validation images are smaller than a patch of {self.loss_patch_size}"
                " pixels (data.hr_patch_size): val/loss_g and val/loss_d leave them out"
            )
        columns = [column[~column.isnan()] for column in losses.unbind(dim=1)]
        named = zip(("loss_g", "loss_d"), columns, strict=True)
        return {name: set_mean(found[:, None])[0] for name, found in named if len(found)}


def _central_losses(
    sr: Tensor, hr: Tensor, *, size: int, losses: Callable[[Tensor, Tensor], Losses]
) -> Tensor:
    """(2,) the losses of the generator and the discriminator for one image, in fp32.

    NaN where there is none, infinite where one is not finite.
    """
    none = hr.new_tensor(torch.nan, dtype=torch.float32)
    if min(hr.shape[-2:]) < size:
        return torch.stack([none, none])
    # Without compilation, which would begin anew for batches of one image.
    with full_precision(hr.device), torch.compiler.set_stance("force_eager"):
        found = losses(middle(sr, size), middle(hr, size))
    both = (found.generator, found.discriminator)
    numbers = [none if loss is None else loss.nan_to_num(nan=torch.inf, posinf=torch.inf) for loss in both]
    return torch.stack([number.float() for number in numbers])
