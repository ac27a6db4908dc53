"""The types and shapes that losses compute with."""

import torch
from torch import Tensor


def comparable(sr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the wider of their types, at least float32: half-precision means and squares lose digits.

    Raises:
        ValueError: the shapes differ (broadcasting would compare the wrong pixels).
    """
    if sr.shape != hr.shape:
        raise ValueError(
            f"sr has shape {tuple(sr.shape)} and hr has {tuple(hr.shape)}; they must be the same"
        )
    dtype = torch.promote_types(torch.promote_types(sr.dtype, hr.dtype), torch.float32)
    return sr.to(dtype), hr.to(dtype)


def at_least_float32(values: Tensor) -> Tensor:
    """The same values, in float32 if their type is narrower."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
