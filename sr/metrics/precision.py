"""The precision that numbers for comparison are computed in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """fp32 as fp32: no autocast around, and no TF32 inside cuDNN's convolutions.

    TF32 keeps ten bits of a factor. SSIM's variances are differences of nearly equal numbers and lose their second
    digit to that.
    """
    with (
        torch.autocast(device.type, enabled=False),
        torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
    ):
        yield
