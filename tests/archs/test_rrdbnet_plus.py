"""ESRGAN+: the numbers and names of its published code, and the residuals of a dense block."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_nets import lively, noise

from sr.archs.rrdbnet import ResidualDenseBlock, RRDBNet
from sr.weights.describe import describe
from sr.weights.dialects import ESRGAN_2018, translate

SIZES: dict[str, Any] = {"num_feat": 8, "num_block": 2, "num_grow_ch": 32}


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (8, 8, [-0.005269, 0.545487, -0.144225, -0.273948, -0.480008]),
        (9, 7, [-0.005819, 0.8382, -0.234055, -0.229068, -0.886949]),
    ],
)
def test_numbers_of_the_published_code(height: int, width: int, expected: list[float]) -> None:
    """By spandrel 0.4.2's ESRGAN+ at x4, with the weights of `lively` under the names of 2018."""
    with torch.no_grad():
        sr = lively(RRDBNet(plus=True, **SIZES))(noise(1, 3, height, width)).flatten()
    assert sr[:: sr.numel() // 5][:5].tolist() == pytest.approx(expected, abs=1e-5)


def test_every_second_convolution_has_a_residual() -> None:
    """ESRGAN+ fig. 3: x2 = conv2 + conv1x1(x), x4 = conv4 + x2."""
    block = lively(ResidualDenseBlock(num_feat=4, num_grow_ch=3, plus=True))
    assert isinstance(block, ResidualDenseBlock) and block.conv1x1 is not None
    x = noise(1, 4, 5, 6)
    x1 = F.leaky_relu(block.conv1(x), 0.2)
    x2 = F.leaky_relu(block.conv2(torch.cat((x, x1), 1)), 0.2) + block.conv1x1(x)
    x3 = F.leaky_relu(block.conv3(torch.cat((x, x1, x2), 1)), 0.2)
    x4 = F.leaky_relu(block.conv4(torch.cat((x, x1, x2, x3), 1)), 0.2) + x2
    torch.testing.assert_close(block(x), x + 0.2 * block.conv5(torch.cat((x, x1, x2, x3, x4), 1)))


def test_lean_memory_is_plain_here() -> None:
    image = noise(1, 3, 6, 6)
    grads = {}
    for memory in ("lean", "plain"):
        net = lively(RRDBNet(plus=True, memory=memory, **SIZES))  # type: ignore[arg-type]
        net(image).square().mean().backward()
        grads[memory] = net.get_parameter("body.0.rdb1.conv1x1.weight").grad
    assert grads["lean"] is not None and grads["lean"].any()
    torch.testing.assert_close(grads["lean"], grads["plain"])


def test_names_of_2018() -> None:
    net = lively(RRDBNet(plus=True, **SIZES))
    fixed = {
        "conv_first": "model.0",
        "conv_body": "model.1.sub.2",
        "conv_up1": "model.3",
        "conv_up2": "model.6",
    }
    fixed |= {"conv_hr": "model.8", "conv_last": "model.10"}
    old = {}
    for key, value in net.state_dict().items():
        name, kind = key.rsplit(".", 1)
        if name in fixed:
            old[f"{fixed[name]}.{kind}"] = value
            continue
        _, block, dense, conv = name.split(".")
        place = f"model.1.sub.{block}.RDB{dense[-1]}.{conv}"
        old[f"{place}.{kind}" if conv == "conv1x1" else f"{place}.0.{kind}"] = value
    dialect, weights = translate(old)
    assert dialect == ESRGAN_2018 and weights.keys() == net.state_dict().keys()
    description = describe(weights)
    assert description is not None and description["plus"] is True
