"""Names of every dialect, and what the shapes say; reading whole files is in test_checkpoint."""

from typing import Any

import pytest
import torch
from old_esrgan import OldRRDBNet
from torch import nn
from weight_files import names_of_2019

from sr.archs.rrdbnet import RRDBNet
from sr.archs.srvgg import SRVGGNetCompact
from sr.archs.unet_disc import UNetDiscriminator
from sr.weights.describe import describe
from sr.weights.dialects import (
    COUNTS,
    DISCRIMINATORS,
    ESRGAN_2018,
    ESRGAN_2019,
    GENERATORS,
    PARAMETRIZED,
    REAL_ESRGAN,
    UNKNOWN,
    choose_net,
    strip,
    translate,
)

SIZES = {"num_feat": 8, "num_block": 2, "num_grow_ch": 4}


@pytest.mark.parametrize("doublings", [0, 1, 2, 3])
def test_the_layout_of_2018(doublings: int) -> None:
    old = OldRRDBNet(doublings=doublings, **SIZES)
    dialect, weights = translate(old.state_dict())
    assert dialect == ESRGAN_2018
    description = describe(weights)
    assert description is not None
    assert description == {
        "_target_": "sr.archs.rrdbnet.RRDBNet",
        "scale": 2**doublings,
        "in_channels": 3,
        "out_channels": 3,
        "unshuffle": doublings > 1,
        "plus": False,
        **SIZES,
    }
    net = RRDBNet(**{key: value for key, value in description.items() if key != "_target_"})
    net.load_state_dict(dict(weights))
    x = torch.rand(1, 3, 7, 6)
    torch.testing.assert_close(net(x), old(x))


@pytest.mark.parametrize("scale", [2, 4])
def test_the_names_of_2019(scale: int) -> None:
    net = RRDBNet(scale=scale, unshuffle=False, **SIZES)
    foreign = names_of_2019(net.state_dict())
    assert "RRDB_trunk.0.RDB1.conv1.weight" in foreign
    dialect, weights = translate(foreign)
    assert dialect == ESRGAN_2019
    assert {key: value.shape for key, value in weights.items()} == {
        key: value.shape for key, value in net.state_dict().items()
    }
    assert all(torch.equal(weights[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize(
    ("net", "arguments"),
    [
        (RRDBNet(scale=1, **SIZES), {"scale": 1, "unshuffle": True, **SIZES}),
        (RRDBNet(scale=2, **SIZES), {"scale": 2, "unshuffle": True, **SIZES}),
        (RRDBNet(scale=4, **SIZES), {"scale": 4, "unshuffle": True, **SIZES}),
        (RRDBNet(scale=8, **SIZES), {"scale": 8, "unshuffle": True, **SIZES}),
        (RRDBNet(scale=2, in_channels=1, out_channels=1, **SIZES), {"scale": 2, "in_channels": 1}),
        (
            RRDBNet(num_feat=12, num_block=3, num_grow_ch=6),
            {"num_feat": 12, "num_block": 3, "num_grow_ch": 6},
        ),
        (SRVGGNetCompact(scale=4, num_feat=8, num_conv=3), {"scale": 4, "num_feat": 8, "num_conv": 3}),
        (SRVGGNetCompact(scale=2, num_feat=8, num_conv=16), {"scale": 2, "num_conv": 16, "skip": "nearest"}),
        (SRVGGNetCompact(scale=1, in_channels=1, out_channels=1, num_feat=8, num_conv=2), {"in_channels": 1}),
    ],
)
def test_scale_width_depth_and_growth_are_read_off_the_tensors(
    net: nn.Module, arguments: dict[str, Any]
) -> None:
    dialect, weights = translate(net.state_dict())
    assert dialect == REAL_ESRGAN
    description = describe(weights)
    assert description is not None
    assert description["_target_"] == f"{type(net).__module__}.{type(net).__name__}"
    assert arguments.items() <= description.items()
    again = type(net)(**{key: value for key, value in description.items() if key != "_target_"})
    again.load_state_dict(net.state_dict())


def test_spectral_norm_of_torch_becomes_that_of_the_published_files() -> None:
    torch.manual_seed(0)
    ours = UNetDiscriminator(num_feat=4).eval()
    new_style = nn.Module()
    new_style.conv1 = nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 8, 4, 2, 1, bias=False)).eval()
    dialect, weights = translate({**ours.state_dict(), **new_style.state_dict()})
    assert dialect == PARAMETRIZED
    ours.load_state_dict(dict(weights))  # every name is known
    x = torch.rand(1, 4, 8, 8)
    torch.testing.assert_close(ours.conv1(x), new_style.conv1(x))


def test_shapes_that_belong_to_no_net_are_refused() -> None:
    weights = RRDBNet(**SIZES).state_dict()
    with pytest.raises(
        ValueError, match="RRDBNet with 5 input channels, 3 output channels and 2 enlargements"
    ):
        describe({**weights, "conv_first.weight": torch.zeros(8, 5, 3, 3)})
    weights = SRVGGNetCompact(num_feat=8, num_conv=2).state_dict()
    with pytest.raises(ValueError, match=r"last of 7 layers is \(7, 8, 3, 3\).*a square number"):
        describe({**weights, "body.6.weight": torch.zeros(7, 8, 3, 3)})
    assert describe({"weird.weight": torch.zeros(1)}) is None


def test_unknown_names_stay_as_they_are() -> None:
    weights = {"weird.weight": torch.zeros(1)}
    assert translate(weights) == (UNKNOWN, weights)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod."])
def test_wrappers_around_a_net_are_taken_off(prefix: str) -> None:
    weights = {"conv.weight": torch.zeros(1), "conv.bias": torch.zeros(1)}
    wrapped = {f"{prefix}{key}": value for key, value in weights.items()}
    assert strip(wrapped) == weights
    assert strip({**wrapped, "other": torch.zeros(1)}).keys() == {
        *wrapped,
        "other",
    }  # only what all names share


def test_counts_of_a_profiler_are_no_weights() -> None:
    counts = {f"{place}{name}": torch.zeros(1) for place in ("", "body.0.") for name in COUNTS}
    assert strip({"net.weight": torch.ones(1), **counts}).keys() == {"net.weight"}


def test_the_average_comes_first_and_each_net_is_told_from_the_other() -> None:
    nets = ("generator.", "net_g_ema.", "net_d.")
    weights = {f"{name}module.conv": torch.full((1,), float(n)) for n, name in enumerate(nets)}
    assert choose_net(weights, GENERATORS) == ("net_g_ema", {"conv": torch.ones(1)})
    assert choose_net(weights, DISCRIMINATORS) == ("net_d", {"conv": torch.full((1,), 2.0)})
    assert choose_net({"conv": torch.zeros(1)}, GENERATORS) == ("", {})
