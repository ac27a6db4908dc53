"""A checkpoint for the program."""

from pathlib import Path

import pytest
import torch

from sr.archs.srvgg import SRVGGNetCompact


@pytest.fixture
def ckpt(tmp_path: Path) -> str:
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2)
    torch.save({"params": net.state_dict()}, tmp_path / "net.pth")
    return str(tmp_path / "net.pth")
