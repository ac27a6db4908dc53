"""Tiny modules and pairs of images, and a trainer that does nothing besides."""

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ConstantLR
from torch.utils.data import DataLoader, Dataset

from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.rrdbnet import RRDBNet
from sr.losses.gan import RelativisticAverageGANLoss, VanillaGANLoss
from sr.losses.pixel import L1Loss
from sr.losses.weighted import WeightedLoss, WeightedTerm
from sr.metrics.protocol import Protocol
from sr.training.base import SRModule
from sr.training.gan import GANModule
from sr.training.micro_batches import MicroBatch
from sr.training.optimization import Optimization
from sr.training.schedule import AdversarialRamp

BATCH = 4


class Pairs(Dataset):
    """Fixed random pairs; `poison` makes one sample infinite, `target` gives each a target that is not its HR."""

    def __init__(self, count: int, poison: int | None = None, target: bool = False) -> None:
        generator = torch.Generator().manual_seed(0)
        self.hr = torch.rand(count, 3, 32, 32, generator=generator)
        self.lr = nn.functional.avg_pool2d(self.hr, 4)
        if poison is not None:
            self.lr[poison] = float("inf")
        # A young net answers black, and L1's gradient is a sign: between black and 1 - hr it would be that of hr.
        self.target = -self.hr if target else None

    def __len__(self) -> int:
        return len(self.hr)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = {"lr": self.lr[index], "hr": self.hr[index], "index": index}
        return item if self.target is None else {**item, "target": self.target[index]}


def make(kind: type[SRModule] = GANModule, **changes: Any) -> SRModule:
    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "generator": RRDBNet(num_feat=8, num_block=1, num_grow_ch=4),
        "content_loss": WeightedLoss(terms={"l1": WeightedTerm(weight=1.0, loss=L1Loss())}),
        "optimizer_g": partial(torch.optim.Adam, lr=1e-3),
        "scheduler_g": partial(ConstantLR, factor=1.0, total_iters=0),
        "metric": Protocol(crop_border=4),
        "optimization": Optimization(),
    }
    if kind is GANModule:
        settings |= {
            "discriminator": PatchDiscriminator(num_feat=4, num_layer=2),
            "gan_loss": RelativisticAverageGANLoss(base=VanillaGANLoss()),
            "gan_weight": 0.1,
            "optimizer_d": partial(torch.optim.Adam, lr=1e-3),
            "scheduler_d": partial(ConstantLR, factor=1.0, total_iters=0),
            "ramp": AdversarialRamp(),
        }
    return kind(**settings | changes)


def fit(
    module: SRModule, tmp_path: Path, *, steps: int, data: Dataset | None = None, **changes: Any
) -> L.Trainer:
    settings = {"accelerator": "cpu", "devices": 1, "max_steps": steps, "log_every_n_steps": 1} | changes
    trainer = L.Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        **settings,
    )
    trainer.fit(module, DataLoader(data or Pairs(BATCH * steps), batch_size=BATCH))
    return trainer


def small_part(lr: Tensor, hr: Tensor) -> MicroBatch:
    """A whole batch as its only part."""
    return MicroBatch(lr=lr, hr=hr, target=hr, exchange=nullcontext())


def weights(net: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])
