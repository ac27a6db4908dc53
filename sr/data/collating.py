"""Samples -> a batch, in which some samples may lack data."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import default_collate

VALID = "valid"  # (C, H, W) bool of a sample: where HR has data; a sample without it has data everywhere


def collate(samples: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
    """As torch does it; with a mask of the whole batch where any of its samples has one, and without one elsewhere."""
    if any(VALID in sample for sample in samples):
        samples = [{VALID: torch.ones_like(each["hr"], dtype=torch.bool), **each} for each in samples]
    batch: dict[str, Any] = default_collate(list(samples))
    return batch
