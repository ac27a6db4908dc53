"""Names of torchmetrics that are not public, in one place: an upgrade that loses one fails in
tests/metrics/test_private_torchmetrics.py.
"""

import importlib

from torch import nn


def lpips_net() -> nn.Module:
    """LPIPS on AlexNet (Zhang et al., 2018), ready to measure. Imported late, since it needs torchvision."""
    functional = importlib.import_module("torchmetrics.functional.image.lpips")
    net: nn.Module = functional._NoTrainLpips(net="alex")
    return net
