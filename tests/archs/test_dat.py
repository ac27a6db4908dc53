"""DAT: the numbers of another implementation, batch norm, constants, and what the tensors tell."""

from typing import Any

import pytest
import torch
from tiny_nets import GENERATORS, lively, noise
from torch import nn

from sr.archs.dat import DAT
from sr.archs.position_bias import pair_indices
from sr.weights.describe import describe

SIZES: dict[str, Any] = {
    "scale": 2,
    "in_channels": 3,
    "out_channels": 3,
    "embed_dim": 32,
    "depths": [3, 1],
    "num_heads": [2, 4],
    "split_size": [2, 4],
    "expansion_factor": 1.0,
    "qkv_bias": True,
    "upsampler": "pixelshuffle",
    "num_feat": 4,
    "resi_connection": "1conv",
    "img_range": 1.0,
    "drop_path_rate": 0.1,
    "img_size": 8,
}


@pytest.mark.parametrize(
    ("name", "size", "first_row", "last_row"),
    [
        (
            "dat",
            (16, 24),
            [0.389258, 0.610856, 0.241067, 0.184104, -0.061367, 0.64373],
            [0.551733, 0.214414, 0.35996],
        ),
        ("dat", (19, 21), [0.752922, 0.397797, 0.890282, 0.85448, 0.692838], [0.865807, 0.581601, 0.395063]),
        (
            "dat_light",
            (16, 24),
            [0.019889, 0.411767, -0.105294, 0.784088, 0.060583, 0.815763],
            [0.697574, 0.420029, 0.145317],
        ),
        (
            "dat_light",
            (19, 21),
            [0.021145, 0.011082, 0.387762, 0.884186, 0.405066],
            [-0.127704, 0.330982, 0.359872],
        ),
    ],
)
def test_equals_spandrel(
    name: str, size: tuple[int, int], first_row: list[float], last_row: list[float]
) -> None:
    """Version 0.4.2, whose code is the authors'; the second size does not divide by the windows."""
    with torch.no_grad():
        sr = lively(GENERATORS[name](scale=2))(noise(1, 3, *size))
    torch.testing.assert_close(sr[0, 0, 0, ::9], torch.tensor(first_row), rtol=0, atol=1e-5)
    torch.testing.assert_close(sr[0, 2, -1, -3:], torch.tensor(last_row), rtol=0, atol=1e-5)


def test_empty_blocks_leave_the_convolutions() -> None:
    net = lively(DAT(**SIZES))
    for name, parameter in net.named_parameters():
        if ".proj." in name or ".fc2." in name:
            nn.init.zeros_(parameter)
        elif name.startswith("layers") and name.endswith(".conv.weight") and ".sg." not in name:
            nn.init.dirac_(parameter)  # what ends a group: with its residual the group doubles
        elif name.startswith("layers") and name.endswith(".conv.bias") and ".sg." not in name:
            nn.init.zeros_(parameter)
    image = noise(1, 3, 5, 6)
    mean = torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)
    shallow = net.conv_first(image - mean)
    deep = net.norm(4 * net.before_RG[1](shallow.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    features = net.conv_before_upsample(net.conv_after_body(deep) + shallow)
    torch.testing.assert_close(net(image), net.conv_last(net.upsample(features)) + mean)


def test_stochastic_depth_draws_in_training_alone() -> None:
    net, image = lively(DAT(**SIZES | {"drop_path_rate": 0.5})), noise(2, 3, 8, 8)
    with torch.no_grad():
        assert torch.equal(net(image), net(image))
        net.train()
        first, second, again = (torch.manual_seed(seed) and net(image) for seed in (1, 2, 1))
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_checkpointing_moves_the_statistics_of_batch_norm_once() -> None:
    nets = [lively(DAT(**SIZES, memory=memory)).train() for memory in ("plain", "checkpoint")]
    for net in nets:
        torch.manual_seed(0)
        net(noise(2, 3, 8, 8)).mean().backward()
    plain, twice = (dict(net.named_buffers()) for net in nets)
    moved = [name for name in plain if name.endswith(("running_mean", "running_var"))]
    assert len(moved) == 24
    for name in moved:
        torch.testing.assert_close(plain[name], twice[name], rtol=1e-4, atol=1e-6)


def test_files_hold_constants_that_the_net_does_not() -> None:
    net = DAT(**SIZES)
    constants = net.state_dict().keys() - {key for key, _ in net.named_parameters()}
    constants -= {key for key, _ in net.named_buffers()}
    masks = {
        f"layers.{place}.attn.attn_mask_{half}" for place in ("0.blocks.2", "1.blocks.0") for half in (0, 1)
    }
    assert {key for key in constants if "attn_mask" in key} == masks
    assert len(constants) == len(masks) + 3 * 2 * 2
    index = net.state_dict()["layers.0.blocks.0.attn.attns.1.relative_position_index"]
    assert torch.equal(index, pair_indices((4, 2)))
    net.load_state_dict(net.state_dict())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upsampler": "pixelshuffledirect", "resi_connection": "3conv", "num_feat": 64, "qkv_bias": False},
        {"split_size": [4, 2], "expansion_factor": 1.25, "scale": 3, "in_channels": 1},
        {"depths": [1], "num_heads": [4], "img_size": 64, "scale": 4},
    ],
)
def test_tensors_tell_every_argument(options: dict[str, Any]) -> None:
    arguments = SIZES | options
    assert describe(DAT(**arguments).state_dict()) == {"_target_": "sr.archs.dat.DAT", **arguments}


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "layers.0.blocks.0.attn.attns.0.relative_position_index",
            (9, 9),
            "windows of .* that have 9 pixels",
        ),
        ("layers.1.blocks.0.attn.attn_mask_0", (3, 8, 8), "masks are for 24 pixels"),
        ("upsample.0.weight", (20, 4, 3, 3), "known are pixel shuffles by 2 and 3"),
    ],
)
def test_shapes_that_no_dat_has_are_named(name: str, shape: tuple[int, ...], message: str) -> None:
    weights = DAT(**SIZES | {"depths": [1, 1]}).state_dict() | {name: torch.zeros(shape)}
    with pytest.raises(ValueError, match=message):
        describe(weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embed_dim": 24}, "embed_dim=24 must be 32 or more"),
        ({"num_heads": [3, 4]}, "num_heads=3 must be even"),
        ({"num_heads": [2]}, "must have the same length"),
        ({"split_size": [4, 6]}, "the greater a multiple of the lesser"),
        ({"img_size": 6}, "img_size=6 must be a multiple"),
        ({"expansion_factor": 0.03}, "must be even, and is 0"),
        ({"drop_path_rate": 1.0}, "drop_path_rate=1.0 must be at least 0 and less than 1"),
        ({"upsampler": "nearest"}, "upsampler='nearest' must be one of"),
        ({"scale": 5}, "scale=5 must be one of 1, 2, 3, 4, 8"),
    ],
)
def test_refusals_name_the_argument(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DAT(**SIZES | options)
