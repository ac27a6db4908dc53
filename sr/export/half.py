"""Nets whose weights are stored in 16 bits."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace

import torch
from torch import Tensor

from sr.weights.generator import TrainedGenerator

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def rounded(trained: TrainedGenerator, dtype: str) -> TrainedGenerator:
    """The same net, whose weights are those that the 16 bits hold; it still computes in fp32.

    Raises:
        ValueError: a weight is too large for fp16.
    """
    if dtype == "fp32":
        return trained
    net = deepcopy(trained.net)
    for name, value in net.state_dict().items():
        if not value.is_floating_point():
            continue
        stored = value.to(DTYPES[dtype])
        if not stored.isfinite().all():
            raise ValueError(
                f"--dtype={dtype}: {name} has values up to {value.abs().max():.3g}: take bf16 or fp32"
            )
        value.copy_(stored)
    return replace(trained, net=net)


def as_stored(weights: Mapping[str, Tensor], dtype: str) -> dict[str, Tensor]:
    """Floating weights in the type of the file; whole numbers stay."""
    kind = DTYPES[dtype]
    return {name: value.to(kind) if value.is_floating_point() else value for name, value in weights.items()}
