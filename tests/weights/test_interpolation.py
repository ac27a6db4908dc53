"""Between two nets."""

from pathlib import Path

import pytest
import torch
from torch import nn

from sr.archs.rrdbnet import RRDBNet
from sr.ops.weight_file import CheckpointError
from sr.weights.generator import TrainedGenerator, load_generator
from sr.weights.interpolation import interpolate

SMALL = {"num_feat": 8, "num_block": 1, "num_grow_ch": 4}


def trained(path: Path, *, seed: int, **changes: int) -> TrainedGenerator:
    torch.manual_seed(seed)
    torch.save({"params_ema": RRDBNet(**SMALL | changes).state_dict()}, path)
    return load_generator(path)


def flat(net: nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in net.state_dict().values()])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_every_weight_lies_between(tmp_path: Path, alpha: float) -> None:
    first, second = trained(tmp_path / "psnr.pth", seed=0), trained(tmp_path / "gan.pth", seed=1)
    mixed = interpolate(first, second, alpha=alpha)
    expected = (1 - alpha) * flat(first.net).double() + alpha * flat(second.net).double()
    assert torch.equal(flat(mixed.net), expected.float())
    assert mixed.checkpoint.source == f"{1 - alpha:g} x psnr.pth + {alpha:g} x gan.pth"
    assert mixed.description == first.description
    assert not mixed.net.training


def test_the_ends_are_the_nets_themselves(tmp_path: Path) -> None:
    first, second = trained(tmp_path / "a.pth", seed=0), trained(tmp_path / "b.pth", seed=1)
    assert torch.equal(flat(interpolate(first, second, alpha=0).net), flat(first.net))
    assert torch.equal(flat(interpolate(first, second, alpha=1).net), flat(second.net))


def test_what_cannot_be_mixed_is_named(tmp_path: Path) -> None:
    first, wide = trained(tmp_path / "a.pth", seed=0), trained(tmp_path / "wide.pth", seed=0, num_feat=12)
    with pytest.raises(
        CheckpointError, match=r"a\.pth and .*wide\.pth have different architectures: num_feat is 8 and 12"
    ):
        interpolate(first, wide, alpha=0.5)
    with pytest.raises(ValueError, match=r"alpha=1\.5 must be in \[0, 1\]"):
        interpolate(first, first, alpha=1.5)
