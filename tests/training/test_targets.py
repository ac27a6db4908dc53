"""What the losses compare with where a batch has a target of its own."""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import BATCH, Pairs, fit, make, weights
from torch import Tensor, nn

from sr.archs.patch_disc import PatchDiscriminator
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.optimization import Optimization
from sr.training.psnr import PSNRModule


class Recorder(nn.Module):
    """Passes on what `net` says of its arguments, and keeps them."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.seen: list[tuple[Tensor, ...]] = []

    def forward(self, *images: Tensor) -> Any:
        self.seen.append(tuple(image.detach() for image in images))
        return self.net(*images)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_content_losses_see_the_target_and_the_discriminator_plain_hr(
    tmp_path: Path, accumulate: int
) -> None:
    content_loss = Recorder(WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss())}))
    discriminator = Recorder(PatchDiscriminator(num_feat=4, num_layer=2))
    data = Pairs(BATCH, target=True)
    module = make(
        content_loss=content_loss,
        discriminator=discriminator,
        optimization=Optimization(accumulate=accumulate),
    )
    fit(module, tmp_path, steps=1, data=data)
    assert len(content_loss.seen) == len(discriminator.seen) == accumulate
    compared = torch.cat([target for _, target in content_loss.seen])
    seen_as_real = torch.cat([images.chunk(2)[0] for (images,) in discriminator.seen])
    assert torch.equal(compared, data.target)
    assert torch.equal(seen_as_real, data.hr)


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_hr_is_its_own_target_unless_there_is_one(tmp_path: Path, kind: type[SRModule]) -> None:
    plain, same, other = make(kind), make(kind), make(kind)
    data = Pairs(BATCH * 2, target=True)
    fit(other, tmp_path, steps=2, data=data)
    data.target = data.hr
    fit(same, tmp_path, steps=2, data=data)
    fit(plain, tmp_path, steps=2, data=Pairs(BATCH * 2))
    assert torch.equal(weights(plain.generator), weights(same.generator))
    assert not torch.equal(weights(plain.generator), weights(other.generator))
