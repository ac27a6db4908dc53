"""Files of VGG19 with random weights, and an empty cache: fixtures of the tests of features and of losses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sr.features import files

# (position in torchvision's `features`, out channels, in channels) of VGG19's sixteen convolutions, written
# out.
VGG19 = [
    (0, 64, 3), (2, 64, 64),
    (5, 128, 64), (7, 128, 128),
    (10, 256, 128), (12, 256, 256), (14, 256, 256), (16, 256, 256),
    (19, 512, 256), (21, 512, 512), (23, 512, 512), (25, 512, 512),
    (28, 512, 512), (30, 512, 512), (32, 512, 512), (34, 512, 512),
]  # fmt: skip


@pytest.fixture
def vgg_file(tmp_path: Path) -> Callable[..., Path]:
    """Write random weights of VGG19's first `convolutions`, plus a key that is none of ours.

    The three deepest blocks are stored as one number per output channel (stride 0), so that a full net fits
    in a small file.
    """

    def write(convolutions: int, name: str = "vgg.pth") -> Path:
        generator = torch.Generator().manual_seed(convolutions)
        state = {"classifier.0.weight": torch.zeros(2, 2)}
        for position, out_channels, in_channels in VGG19[:convolutions]:
            if position < 10:
                weight = torch.randn(out_channels, in_channels, 3, 3, generator=generator) / in_channels**0.5
            else:
                weight = torch.randn(out_channels, 1, 1, 1, generator=generator) / in_channels
                weight = weight.expand(-1, in_channels, 3, 3)
            state[f"features.{position}.weight"] = weight
            state[f"features.{position}.bias"] = torch.randn(out_channels, generator=generator) * 0.1
        torch.save(state, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty torch hub cache; whatever would download, fails the test."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def refuse(*args: Any, **kwargs: Any) -> None:
        pytest.fail(f"would download {args}")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr(files, "wait_for_answer", lambda url: None)
    return tmp_path / "torch" / "hub" / "checkpoints"
