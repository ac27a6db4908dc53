"""Files inside the package torchmetrics, in one place: an upgrade that loses one fails in
tests/features/test_private_torchmetrics.py.

They are the authors' published weights of LPIPS (version 0.1, BSD) and DISTS (MIT), which belong to the features of
nets that are read from files of their own.
"""

from importlib.util import find_spec
from pathlib import Path

_LINEAR = {"alexnet": "alex", "vgg16": "vgg", "squeezenet": "squeeze"}


def lpips_file(net: str) -> Path:
    """The weights of the layers of one net's LPIPS."""
    return _folder() / "lpips_models" / f"{_LINEAR[net]}.pth"


def dists_file() -> Path:
    """The weights alpha and beta of DISTS."""
    return _folder() / "dists_models" / "weights.pt"


def _folder() -> Path:
    spec = find_spec("torchmetrics")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("torchmetrics is not installed")
    return Path(spec.origin).parent / "functional" / "image"
