"""EDSR and RCAN: the numbers of BasicSR, its names and those of the authors, the mean colour and the attention."""

from typing import Any

import pytest
import torch
from tiny_nets import lively, noise
from torch import Tensor, nn

from sr.archs.edsr import EDSR
from sr.archs.mean_shift import MeanShift
from sr.archs.padding import pad_to_multiple
from sr.archs.rcan import RCAN, ChannelAttention
from sr.weights.describe import describe
from sr.weights.dialects import BASICSR, translate

EDSR_SMALL: dict[str, Any] = {"scale": 2, "num_feat": 8, "num_block": 2}
RCAN_SMALL: dict[str, Any] = {"scale": 2, "num_feat": 8, "num_group": 2, "num_block": 2, "reduction": 4}
# BasicSR's name -> the authors' name, of one tensor of each kind.
EDSR_NAMES = {
    "conv_first.weight": "head.0.weight",
    "body.1.conv1.bias": "body.1.body.0.bias",
    "body.0.conv2.weight": "body.0.body.2.weight",
    "conv_after_body.weight": "body.2.weight",
    "upsample.0.bias": "tail.0.0.bias",
    "conv_last.weight": "tail.1.weight",
}
RCAN_NAMES = {
    "conv_first.bias": "head.0.bias",
    "body.1.residual_group.0.rcab.0.weight": "body.1.body.0.body.0.weight",
    "body.0.residual_group.1.rcab.2.weight": "body.0.body.1.body.2.weight",
    "body.0.residual_group.1.rcab.3.attention.1.weight": "body.0.body.1.body.3.conv_du.0.weight",
    "body.1.residual_group.0.rcab.3.attention.3.bias": "body.1.body.0.body.3.conv_du.2.bias",
    "body.1.conv.weight": "body.1.body.2.weight",
    "conv_after_body.bias": "body.2.bias",
    "upsample.0.weight": "tail.0.0.weight",
    "conv_last.bias": "tail.1.bias",
}


@pytest.mark.parametrize(
    ("net", "height", "width", "expected"),
    [
        (EDSR(res_scale=0.1, **EDSR_SMALL), 8, 8, [0.384579, 0.496451, 0.062351, 0.628776, 0.616117]),
        (EDSR(res_scale=0.1, **EDSR_SMALL), 9, 7, [0.833883, 0.077621, 0.416504, 0.928434, 0.815255]),
        (RCAN(**RCAN_SMALL), 8, 8, [0.361198, 1.283809, -0.151003, 0.876627, 0.783466]),
        (RCAN(**RCAN_SMALL), 9, 7, [0.725431, 0.146365, 1.008296, 0.088237, 1.07893]),
    ],
)
def test_numbers_of_basicsr(net: nn.Module, height: int, width: int, expected: list[float]) -> None:
    """By EDSR and RCAN of BasicSR 1.4.2 in evaluation, with the weights of `lively` under its own names."""
    with torch.no_grad():
        sr = lively(net)(noise(1, 3, height, width)).flatten()
    assert sr[:: sr.numel() // 5][:5].tolist() == pytest.approx(expected, abs=1e-5)


def basicsr(net: nn.Module) -> dict[str, Tensor]:
    """The tensors of a net under BasicSR's names, written down here once more, and without the mean colour."""
    blocks = len(net.body) - 1  # type: ignore[arg-type]
    weights = {}
    for key, value in net.state_dict().items():
        name = key.replace("head.0.", "conv_first.").replace("tail.1.", "conv_last.")
        name = name.replace("tail.0.", "upsample.")
        parts = name.split(".")
        if parts[:2] == ["body", str(blocks)]:
            name = f"conv_after_body.{parts[-1]}"
        elif isinstance(net, EDSR) and parts[0] == "body":
            name = f"body.{parts[1]}.conv{1 + int(parts[3]) // 2}.{parts[4]}"
        elif parts[0] == "body" and len(parts) == 5:
            name = f"body.{parts[1]}.conv.{parts[4]}"
        elif parts[0] == "body":
            end = f"attention.{1 + int(parts[7])}.{parts[8]}" if "conv_du" in parts else parts[6]
            name = f"body.{parts[1]}.residual_group.{parts[3]}.rcab.{parts[5]}.{end}"
        if "mean" not in key:
            weights[name] = value
    return weights


@pytest.mark.parametrize(
    ("net", "names"), [(EDSR(**EDSR_SMALL), EDSR_NAMES), (RCAN(**RCAN_SMALL), RCAN_NAMES)]
)
def test_names_of_basicsr(net: nn.Module, names: dict[str, str]) -> None:
    theirs = basicsr(lively(net))
    assert set(names) <= set(theirs)
    dialect, ours = translate(theirs)
    assert dialect == BASICSR
    assert ours.keys() == net.state_dict().keys()
    for key, value in net.state_dict().items():
        assert torch.equal(ours[key], value), key
    assert all(torch.equal(theirs[old], ours[new]) for old, new in names.items())
    description = describe(ours)
    assert description is not None and description["_target_"].endswith(type(net).__name__)


@pytest.mark.parametrize(("features", "res_scale"), [(64, 1.0), (256, 0.1)])
def test_the_scaling_of_residuals_is_that_of_the_published_net(features: int, res_scale: float) -> None:
    with torch.device("meta"):
        weights = EDSR(num_feat=features, num_block=1).state_dict()
    description = describe(weights)
    assert description is not None and description["res_scale"] == res_scale


def test_branches_are_scaled() -> None:
    """A tenth of the branch is the whole one with its last convolution divided by ten."""
    scaled, plain = lively(EDSR(res_scale=0.1, **EDSR_SMALL)), lively(EDSR(**EDSR_SMALL))
    weights = plain.state_dict()
    for key in weights:
        if ".body.2." in key:
            weights[key] = weights[key] / 10
    plain.load_state_dict(weights)
    torch.testing.assert_close(scaled(noise(1, 3, 6, 5)), plain(noise(1, 3, 6, 5)))


def test_the_mean_colour() -> None:
    shift = MeanShift(channels=3, img_range=255.0, sign=-1)
    assert shift.bias.tolist() == pytest.approx([-114.444, -111.4605, -103.02])
    assert not [*shift.parameters()]
    image = noise(1, 3, 2, 2)
    back = MeanShift(channels=3, img_range=255.0, sign=1)(shift(255 * image))
    torch.testing.assert_close(back, 255 * image)
    assert not MeanShift(channels=1, img_range=255.0, sign=-1).bias.any()


def test_a_mean_from_a_file_is_taken() -> None:
    net = lively(EDSR(**EDSR_SMALL))
    weights = net.state_dict()
    before = net(noise(1, 3, 6, 5))
    net.load_state_dict(weights | {"add_mean.bias": weights["add_mean.bias"] + 25.5})
    torch.testing.assert_close(net(noise(1, 3, 6, 5)), before + 0.1)
    with pytest.raises(RuntimeError, match=r"sub_mean\.weight is not the identity"):
        net.load_state_dict(weights | {"sub_mean.weight": 2 * weights["sub_mean.weight"]})


def test_attention_sees_the_means_alone() -> None:
    attention = lively(ChannelAttention(num_feat=8, reduction=4))
    features = noise(1, 8, 4, 6)
    weight = attention(features) / features
    torch.testing.assert_close(weight, weight[..., :1, :1].expand_as(weight))
    assert weight.min() > 0 and weight.max() < 1
    moved = features.flip(-1, -2)  # the same means
    torch.testing.assert_close(attention(moved), attention(features).flip(-1, -2))
    assert not torch.allclose(attention(2 * features), 2 * attention(features))


@pytest.mark.parametrize(("scale", "factor"), [(1, 4), (2, 2), (3, 1)])
def test_an_unshuffled_input(scale: int, factor: int) -> None:
    net = lively(RCAN(unshuffle=True, norm=False, **RCAN_SMALL | {"scale": scale}))
    assert net.state_dict()[f"head.{int(factor > 1)}.weight"].shape[1] == 3 * factor**2
    image = noise(1, 3, 7, 9)
    whole = net(pad_to_multiple(image, factor))[..., : 7 * scale, : 9 * scale]
    torch.testing.assert_close(net(image), whole)
    description = describe(net.state_dict())
    assert description is not None
    assert (description["scale"], description["unshuffle"], description["norm"]) == (scale, factor > 1, False)


def test_shapes_that_belong_to_no_net_are_refused() -> None:
    weights = RCAN(unshuffle=True, **RCAN_SMALL).state_dict()
    with pytest.raises(ValueError, match="an RCAN with 11 unshuffled input channels, 3 output channels"):
        describe(weights | {"head.1.weight": torch.zeros(8, 11, 3, 3)})
    with pytest.raises(
        ValueError, match=r"tail\.0\.0\.weight is \(40, 8, 3, 3\): known are pixel shuffles by"
    ):
        describe(EDSR(**EDSR_SMALL).state_dict() | {"tail.0.0.weight": torch.zeros(40, 8, 3, 3)})


@pytest.mark.parametrize("kind", [EDSR, RCAN])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 5}, r"scale=5 must be one of 1, 2, 3, 4, 8"),
        ({"num_block": 0}, r"num_block=0 must be 1 or more"),
        ({"img_range": 0}, r"img_range=0 must be more than 0"),
        ({"memory": "lean"}, r"memory='lean' must be one of 'auto', 'plain', 'checkpoint'"),
    ],
)
def test_errors_name_the_argument(kind: type[nn.Module], arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**arguments)
