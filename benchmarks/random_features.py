"""ImageNet nets with random weights, so that the cost of what needs them can be measured without a download."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from sr.features.files import FILES
from sr.features.stacks import STACKS


@contextmanager
def random_features() -> Iterator[None]:
    """A torch hub cache, for this block, in which all four nets lie with random weights in place of the published."""
    before = os.environ.get("TORCH_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCH_HOME"] = folder
        try:
            for net in STACKS:
                path = FILES[net].cached()
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(net, path)
            yield
        finally:
            os.environ.pop("TORCH_HOME")
            if before is not None:
                os.environ["TORCH_HOME"] = before


def _write(net: str, path: Path) -> None:
    torch.manual_seed(0)
    stages = nn.Sequential(*(make() for make in STACKS[net].values()))
    torch.save({f"features.{name}": value for name, value in stages.state_dict().items()}, path)
