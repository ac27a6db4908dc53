"""Parts of nets that compute in the precision of their tensors, whatever autocast says."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def without_autocast(device: str) -> Iterator[torch.dtype | None]:
    """Gives the dtype that autocast was computing in, if it was."""
    if not torch.amp.is_autocast_available(device):  # "meta"
        yield None
        return
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    with torch.autocast(device, enabled=False):
        yield dtype
