"""PLKSR and RealPLKSR: the numbers of the published code, the partial kernel, the norms and DySample."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from tiny_nets import GENERATORS, lively, noise
from torch import nn

from sr.archs.dysample import DySample
from sr.archs.plksr import PLKSR, PartialLargeKernel
from sr.archs.realplksr import LayerNorm, RealPLKSR
from sr.archs.upsampling import upsample_nearest
from sr.weights.describe import describe

SMALL: dict[str, Any] = {"num_feat": 8, "num_block": 2, "kernel_size": 5}


@pytest.mark.parametrize(
    ("name", "height", "width", "expected"),
    [
        ("plksr", 8, 8, [0.784011, 1.870198, 0.099748, 0.877273, 1.111103]),
        ("plksr", 9, 7, [0.734735, 0.770049, 0.445507, 0.393954, 0.814594]),
        ("realplksr", 8, 8, [-0.074245, -0.217829, 0.304219, 0.073786, 0.523337]),
        ("realplksr", 9, 7, [-0.65428, -0.22594, 0.539887, 0.127963, -0.352465]),
        ("realplksr_groups", 8, 8, [0.15678, 0.822235, -0.150006, 1.339721, 0.626731]),
        ("realplksr_groups", 9, 7, [0.943592, -0.477494, 0.021991, 2.043721, -0.703221]),
    ],
)
def test_numbers_of_the_published_code(name: str, height: int, width: int, expected: list[float]) -> None:
    """By spandrel 0.4.2's PLKSR and RealPLKSR in evaluation, at x2, with the weights of `lively`."""
    with torch.no_grad():
        sr = lively(GENERATORS[name](scale=2))(noise(1, 3, height, width)).flatten()
    assert sr[:: sr.numel() // 5][:5].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("kind", [PLKSR, RealPLKSR])
def test_without_a_residual_the_input_is_left(kind: type[PLKSR | RealPLKSR], scale: int) -> None:
    net = lively(kind(scale=scale, **SMALL))
    assert isinstance(net.feats, nn.Sequential)
    for parameter in net.feats[-1].parameters():
        nn.init.zeros_(parameter)
    image = noise(1, 3, 5, 4)
    assert torch.equal(net(image), upsample_nearest(image, scale=scale))


def test_only_the_first_features_go_through_the_large_kernel() -> None:
    lk = lively(PartialLargeKernel(2, kernel_size=5))
    features = noise(1, 6, 7, 7)
    mixed = lk(features)
    assert torch.equal(mixed[:, 2:], features[:, 2:])
    assert isinstance(lk.conv, nn.Conv2d)
    torch.testing.assert_close(mixed[:, :2], lk.conv(features[:, :2]))


def test_layer_norm_is_of_each_pixel() -> None:
    features = noise(1, 6, 3, 4)
    gain, offset = noise(1, 1, 3, 4, seed=2) + 1, noise(1, 1, 3, 4, seed=3)
    norm = LayerNorm(6)
    torch.testing.assert_close(norm(gain * features + offset), norm(features), atol=1e-3, rtol=1e-3)
    expected = F.layer_norm(features.movedim(1, -1), (6,), eps=1e-6).movedim(-1, 1)
    torch.testing.assert_close(norm(features), expected)


@pytest.mark.parametrize("scale", [2, 3])
def test_dysample_without_offsets_is_bilinear_and_an_offset_is_half_a_pixel_of_each(scale: int) -> None:
    dysample = DySample(in_channels=4, out_channels=4, scale=scale, groups=2, mix=False)
    features = noise(1, 4, 5, 6)
    nn.init.zeros_(dysample.offset.weight)
    bilinear = F.interpolate(features, scale_factor=scale, mode="bilinear", align_corners=False)
    torch.testing.assert_close(dysample(features), bilinear)
    # Half of 4 * sigmoid(0): one pixel, to the right in the first part of the channels and down in both.
    assert dysample.offset.bias is not None
    with torch.no_grad():
        places = dysample.offset.bias.view(2, 2, scale**2)  # (x and y, groups, new pixels)
        places[0, 0], places[1] = 4, 4
    moved = dysample(features)
    inner = bilinear[..., scale:, :]
    torch.testing.assert_close(moved[:, :2, :-scale, :-scale], inner[:, :2, :, scale:])
    torch.testing.assert_close(moved[:, 2:, :-scale, :], inner[:, 2:])


@pytest.mark.parametrize("upsampler", ["pixelshuffle", "dysample"])
@pytest.mark.parametrize("scale", [1, 3, 4])
def test_every_argument_is_read_off_the_tensors(upsampler: Any, scale: int) -> None:
    arguments: dict[str, Any] = {"upsampler": upsampler, "layer_norm": scale == 3, "use_ea": scale != 3}
    arguments |= {"kernel_size": 3, "split_ratio": 3 / 8, "num_feat": 8, "num_block": 2, "scale": scale}
    found = describe(RealPLKSR(**arguments).state_dict())
    assert found is not None
    assert {key: found[key] for key in arguments} == arguments


@pytest.mark.parametrize("ccm_type", ["CCM", "ICCM", "DCCM"])
def test_the_channel_mixer_is_read_off_the_tensors(ccm_type: Any) -> None:
    net = PLKSR(ccm_type=ccm_type, use_ea=False, **SMALL)
    found = describe(net.state_dict())
    assert found is not None and (found["ccm_type"], found["use_ea"]) == (ccm_type, False)


def test_tensors_that_belong_to_no_net_are_refused() -> None:
    weights = PLKSR(**SMALL).state_dict()
    sparse = {key.replace("lk.conv.", "lk.convs.0."): value for key, value in weights.items()}
    with pytest.raises(ValueError, match="sparse or rectangular large kernels"):
        describe(sparse)
    with pytest.raises(ValueError, match=r"whose last convolution is \(7, 8, 3, 3\)"):
        describe(weights | {"feats.3.weight": torch.zeros(7, 8, 3, 3)})
    with pytest.raises(ValueError, match=r"channel mixer has kernels \(3, 5\)"):
        describe(weights | {"feats.1.channe_mixer.2.weight": torch.zeros(8, 16, 5, 5)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_block": 0}, r"num_block=0 must be 1 or more"),
        ({"kernel_size": 4}, r"kernel_size=4 must be odd"),
        ({"split_ratio": 0.01}, r"split_ratio=0\.01 of num_feat=64 must be from 1 to 64 features"),
        ({"out_channels": 1}, r"out_channels=1 must equal in_channels=3"),
        ({"norm_groups": 5, "layer_norm": False}, r"num_feat=64 must be a multiple of norm_groups=5"),
        ({"upsampler": "nearest"}, r"upsampler='nearest' must be one of 'pixelshuffle', 'dysample'"),
        ({"memory": "lean"}, r"memory='lean' must be one of 'auto', 'plain', 'checkpoint'"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RealPLKSR(**arguments)
    with pytest.raises(ValueError, match=r"ccm_type='MLP' must be one of 'CCM', 'ICCM', 'DCCM'"):
        PLKSR(ccm_type="MLP")  # type: ignore[arg-type]
