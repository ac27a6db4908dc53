"""HAT: numbers of the reference implementation, and what its blocks see."""

from typing import Any

import pytest
import torch
from tiny_nets import lively, noise
from torch import nn

from sr.archs.hat import HAT, OCAB, ChannelAttention

TINY: dict[str, Any] = {
    "embed_dim": 12,
    "depths": [2, 2],
    "num_heads": [2, 3],
    "window_size": 4,
    "squeeze_factor": 6,
    "conv_scale": 0.5,
    "drop_path_rate": 0.0,
}
# Computed with the HAT of spandrel 0.4.2 in double precision from the weights of `lively`, on noise of 8 x 12 pixels
# (windows divide it) and 9 x 7 (they do not): red at the first pixel, green at the last, blue in the middle, deviation.
REFERENCE = {
    (8, 12): (0.342406, 0.5106, 0.434586, 0.541524),
    (9, 7): (0.402247, -0.257643, -0.074468, 0.58384),
}


def make(**arguments: Any) -> HAT:
    net = lively(HAT(**TINY | arguments))
    assert isinstance(net, HAT)
    return net


@pytest.mark.parametrize(("height", "width"), REFERENCE)
@torch.no_grad()
def test_the_numbers_of_the_reference_implementation(height: int, width: int) -> None:
    red, green, blue = make(scale=2)(noise(1, 3, height, width))[0]
    rows, columns = red.shape[0] - 1, red.shape[1] - 1
    found = (red[0, 0], green[rows, columns], blue[rows // 2, columns // 2])
    found = (*found, torch.stack((red, green, blue)).std())
    expected = torch.tensor(REFERENCE[height, width])
    torch.testing.assert_close(torch.stack(found), expected, rtol=0, atol=1e-5)


def test_overlapping_attention_looks_beyond_its_window() -> None:
    block = lively(OCAB(embed_dim=4, num_heads=2, window_size=4, overlap=2, mlp_ratio=2.0))
    features = noise(1, 12, 12, 4).requires_grad_()
    block(features)[0, 5, 6].sum().backward()
    assert features.grad is not None
    seen = torch.zeros(12, 12, dtype=torch.bool)
    seen[3:9, 3:9] = True  # the window of rows and columns 4 to 7, and one more on every side
    assert torch.equal(features.grad[0].abs().amax(-1) > 0, seen)


def test_beyond_the_picture_are_zeros_and_not_a_border() -> None:
    """With equal scores, a corner pixel gets the sum of the values it sees over the 36 places of its large window."""
    block = lively(OCAB(embed_dim=4, num_heads=2, window_size=4, overlap=2, mlp_ratio=2.0))
    nn.init.zeros_(block.relative_position_bias_table)
    nn.init.zeros_(block.qkv.weight[:8]), nn.init.zeros_(block.qkv.bias[:8])
    features = noise(1, 8, 8, 4)
    value = block.qkv(block.norm1(features))[..., 8:]
    with torch.no_grad():
        corner = features[:, 0, 0] + block.proj(value[:, :5, :5].sum((1, 2)) / 36)
        torch.testing.assert_close(block(features)[:, 0, 0], corner + block.mlp(block.norm2(corner)))


def test_channel_attention_sees_the_whole_picture() -> None:
    attention = lively(ChannelAttention(8, squeeze_factor=2))
    features = noise(2, 8, 5, 7)
    _, reduce, _, expand, _ = attention.attention
    with torch.no_grad():
        factors = torch.sigmoid(expand(torch.relu(reduce(features.mean((2, 3), keepdim=True)))))
        torch.testing.assert_close(attention(features), features * factors)


def test_a_weight_of_zero_leaves_channel_attention_out() -> None:
    silent = make(conv_scale=0.0)
    expected = silent(noise(1, 3, 8, 8))
    for name, parameter in silent.named_parameters():
        if ".conv_block." in name:
            nn.init.normal_(parameter)
    assert torch.equal(silent(noise(1, 3, 8, 8)), expected)
    assert not torch.allclose(make(conv_scale=0.5)(noise(1, 3, 8, 8)), expected, atol=1e-2)


def test_the_names_of_the_published_files() -> None:
    names = set(make().state_dict())
    kinds = ("weight", "bias")
    group = "layers.1.residual_group"
    block = ["attn.relative_position_bias_table"]
    block += [f"{layer}.{kind}" for layer in ("norm1", "attn.qkv", "attn.proj", "norm2") for kind in kinds]
    block += [f"mlp.fc{number}.{kind}" for number in (1, 2) for kind in kinds]
    block += [
        f"conv_block.cab.{part}.{kind}" for part in (0, 2, "3.attention.1", "3.attention.3") for kind in kinds
    ]
    overlap = ["relative_position_bias_table"]
    overlap += [
        f"{layer}.{kind}"
        for layer in ("norm1", "qkv", "proj", "norm2", "mlp.fc1", "mlp.fc2")
        for kind in kinds
    ]
    expected = {f"{group}.blocks.{number}.{part}" for number in (0, 1) for part in block}
    expected |= {f"{group}.overlap_attn.{part}" for part in overlap}
    assert {name for name in names if name.startswith(group)} == expected
    layers = ["conv_first", "patch_embed.norm", "layers.0.conv", "layers.1.conv", "norm", "conv_after_body"]
    layers += ["conv_before_upsample.0", "upsample.0", "upsample.2", "conv_last"]
    rest = {f"{layer}.{kind}" for layer in layers for kind in kinds}
    rest |= {"relative_position_index_SA", "relative_position_index_OCA"}
    assert {name for name in names if ".residual_group." not in name} == rest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scale": 5}, "scale=5 must be one of 1, 2, 3, 4, 8"),
        (
            {"overlap_ratio": 0.25},
            "overlap_ratio=0.25 of window_size=4 is 1 pixels, which must be an even number",
        ),
        ({"overlap_ratio": 1.5}, "is 6 pixels, which must be an even number from 2 to 4"),
        ({"overlap_ratio": 0.0}, "is 0 pixels"),
        ({"squeeze_factor": 30}, "embed_dim // squeeze_factor=0 must be 1 or more"),
        ({"compress_ratio": 0}, "compress_ratio=0 must be 1 or more"),
        ({"resi_connection": "3conv"}, "resi_connection='3conv' must be one of '1conv', 'identity'"),
        ({"embed_dim": 10}, "embed_dim=10 must be a multiple of num_heads=3"),
        ({"memory": "lean"}, "memory='lean'"),
    ],
)
def test_a_net_that_cannot_be_is_refused_by_name(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HAT(**TINY | arguments)
