"""A net whose result is known: every pixel becomes 2 x 2 of the same colour."""

from pathlib import Path

import pytest
import torch

from sr.archs.srvgg import SRVGGNetCompact


@pytest.fixture
def doubling(tmp_path: Path) -> str:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2)
    with torch.no_grad():
        net.body[-1].weight.zero_()
        net.body[-1].bias.zero_()
    torch.save({"params": net.state_dict()}, tmp_path / "doubling.pth")
    return str(tmp_path / "doubling.pth")
