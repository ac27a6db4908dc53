"""Any metric of the library pyiqa, which is the extra `iqa`."""

import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sr.metrics.measure import Measure
from sr.metrics.quantity import HIGHER, LOWER, Quantity


class PyIQA(Measure):
    """A metric of pyiqa (Chen et al., https://github.com/chaofengc/IQA-PyTorch), with or without an original.

    The library says which way is better, and downloads weights of its own.

    Args:
        name: the name of the metric in pyiqa, as musiq, maniqa, clipiqa, topiq_fr or brisque; it is the name of the
            value.

    Raises:
        ImportError: pyiqa cannot be imported.
        ValueError: pyiqa has no metric of this name.
    """

    channels = 3

    def __init__(self, *, name: str) -> None:
        library = _pyiqa(name)
        choices = library.list_models()
        if name not in choices:
            raise ValueError(f"measure: pyiqa has no metric {name}: choose from {', '.join(choices)}")
        self.name = name
        self.net = library.create_metric(name, device="cpu")
        self.needs_hr = self.net.metric_mode == "FR"
        better = LOWER if self.net.lower_better else HIGHER
        self.quantities = {name: Quantity(better=better, digits=".4f", title=name.upper())}

    def describe(self) -> dict[str, str]:
        quantity, version = self.quantities[self.name], importlib.metadata.version("pyiqa")
        return {self.name: f"pyiqa {version}, 8-bit RGB, same border; {quantity.advice}"}

    @torch.no_grad()
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        self.net.to(sr.device)
        pairs = zip(torch.split(sr.float(), 1), torch.split(hr.float(), 1), strict=True)
        values = [self.net(*pair) if self.needs_hr else self.net(pair[0]) for pair in pairs]
        return {self.name: torch.stack([value.reshape(()) for value in values]).to(sr.device)}


def _pyiqa(name: str) -> Any:
    try:
        return importlib.import_module("pyiqa")
    except (
        Exception
    ) as error:  # it imports torchvision, whose build for another torch raises errors of its own
        raise ImportError(
            f"measure: {name} is computed by pyiqa, which cannot be imported here ({error}): install it with"
            " pip install 'sr-lightning[iqa]' and, where torch is a CPU build, the torchvision that belongs to it"
            " (https://pytorch.org/get-started), or leave it out of measure"
        ) from error
