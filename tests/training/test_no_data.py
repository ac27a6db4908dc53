"""What a pixel without data does to an update: nothing."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from small_training import Pairs, fit, make, weights
from torch import Tensor, nn

from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.micro_batches import MicroBatch, micro_batches
from sr.training.psnr import PSNRModule


class Holed(Pairs):
    """Pairs that say that the upper left quarter of each HR has no data."""

    def __init__(self, count: int, *, inside: float | None = None, everywhere: bool = False) -> None:
        super().__init__(count)
        self.valid = torch.ones(3, 32, 32, dtype=torch.bool)
        if not everywhere:
            self.valid[:, :16, :16] = False
        if inside is not None:
            self.hr = torch.where(self.valid, self.hr, inside)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**super().__getitem__(index), "valid": self.valid}


def trained(tmp_path: Path, kind: type[SRModule], data: Pairs) -> Tensor:
    module = make(kind)
    fit(module, tmp_path, steps=2, data=data, log_every_n_steps=1)
    return weights(module.generator)


@pytest.mark.parametrize("kind", [PSNRModule, GANModule])
def test_a_mask_of_everything_is_no_mask(tmp_path: Path, kind: type[SRModule]) -> None:
    plain = trained(tmp_path, kind, Pairs(8))
    assert torch.equal(trained(tmp_path, kind, Holed(8, everywhere=True)), plain)


def test_content_losses_do_not_see_what_lies_there(tmp_path: Path) -> None:
    """HR may hold anything where there is no data; L1 moves the net as if it was not there."""
    one, other = (trained(tmp_path, PSNRModule, Holed(8, inside=value)) for value in (0.0, 7.0))
    assert torch.equal(one, other)
    assert not torch.equal(one, trained(tmp_path, PSNRModule, Pairs(8)))


class Watched(nn.Module):
    """Keeps the images that it judges, and answers with all of their pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.ones(()))
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.detach())
        return self.factor * images.square()


def test_no_loss_has_a_gradient_there(monkeypatch: pytest.MonkeyPatch) -> None:
    discriminator = Watched()
    module = make(discriminator=discriminator)
    pushed: list[Tensor] = []
    monkeypatch.setattr(module, "manual_backward", lambda loss: loss.backward())
    forward = module.generator.forward

    def watched(lr: Tensor) -> Tensor:
        sr = forward(lr)
        sr.register_hook(pushed.append)
        return sr

    monkeypatch.setattr(module.generator, "forward", watched)
    data = Holed(2)
    batch = torch.utils.data.default_collate([data[0], data[1]])
    part = MicroBatch(
        lr=batch["lr"], hr=batch["hr"], target=batch["hr"], exchange=nullcontext(), valid=batch["valid"]
    )
    values = module.backward_pass(part, iteration=0, share=1.0)
    (push,) = pushed
    assert push[batch["valid"]].abs().min() > 0
    assert not push[~batch["valid"]].any()
    real, fake = torch.cat(discriminator.seen).chunk(2)
    assert torch.equal(real[~batch["valid"]], fake[~batch["valid"]])
    assert values.losses.discriminator is not None


def test_parts_of_a_batch_have_their_part_of_the_mask() -> None:
    data = Holed(4)
    batch = torch.utils.data.default_collate([data[number] for number in range(4)])
    batch["valid"][0] = True
    strategy: Any = None
    parts = list(micro_batches(batch, count=2, strategy=strategy))
    found = [part.valid for part in parts]
    assert all(mask is not None for mask in found)
    assert torch.equal(torch.cat([mask for mask in found if mask is not None]), batch["valid"])
    del batch["valid"]
    assert [part.valid for part in micro_batches(batch, count=2, strategy=strategy)] == [None, None]
