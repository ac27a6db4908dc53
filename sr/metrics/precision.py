"""The precision that numbers for comparison are computed in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """fp32 as fp32: no autocast around, and no TF32, which keeps ten bits of a factor, inside cuDNN's convolutions."""
    with (
        torch.autocast(device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
    ):
        yield
