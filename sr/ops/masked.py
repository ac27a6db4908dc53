"""Images of which some pixels have no data."""

import torch
from torch import Tensor


def known(sr: Tensor, hr: Tensor, valid: Tensor | None) -> Tensor:
    """SR with the values of HR where HR has no data, so that no loss sees an error there or has a gradient.

    (N, C, H, W) three times, the last one bool; None is data everywhere, and SR itself is returned.
    """
    return sr if valid is None else torch.where(valid, sr, hr)


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """(N, ...) values and bool -> (N,), the mean over what is valid; NaN where nothing is."""
    total = torch.where(valid, values, 0).flatten(1).sum(dim=1)
    return total / valid.flatten(1).sum(dim=1)
