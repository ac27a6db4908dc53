"""SwinIR: numbers of the reference implementation, and what its windows and residuals mean."""

from typing import Any

import pytest
import torch
from tiny_nets import lively, noise
from torch import Tensor, nn

from sr.archs.swinir import SwinIR

TINY: dict[str, Any] = {
    "embed_dim": 12,
    "depths": [2, 2],
    "num_heads": [2, 3],
    "window_size": 4,
    "img_size": 8,
    "drop_path_rate": 0.0,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "classical": {"scale": 2},
    "light": {"scale": 3, "upsampler": "pixelshuffledirect"},
    "real": {"scale": 4, "upsampler": "nearest+conv", "resi_connection": "3conv"},
    "denoising": {"scale": 1, "upsampler": "", "img_range": 255.0},
}
# Computed with the SwinIR of spandrel 0.4.2 in double precision from the weights of `lively`, on noise of 8 x 12 pixels
# (windows divide it) and 9 x 7 (they do not): red at the first pixel, green at the last, blue in the middle, deviation.
REFERENCE = {
    "classical": ((0.441331, 0.577366, -0.027176, 0.569129), (0.467489, -0.078607, 0.178222, 0.609578)),
    "light": ((0.734121, 0.601345, 1.161794, 1.166771), (0.590924, 0.500747, 0.2755, 1.130064)),
    "real": ((0.455797, 0.440996, 0.450657, 0.057098), (0.47057, 0.5393, 0.461382, 0.061464)),
    "denoising": ((0.702987, 0.346313, -0.183274, 0.39235), (0.753193, 0.384188, 0.198804, 0.401492)),
}


def make(**arguments: Any) -> SwinIR:
    net = lively(SwinIR(**TINY | arguments))
    assert isinstance(net, SwinIR)
    return net


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_the_numbers_of_the_reference_implementation(variant: str) -> None:
    net = make(**VARIANTS[variant])
    for (height, width), expected in zip(((8, 12), (9, 7)), REFERENCE[variant], strict=True):
        red, green, blue = net(noise(1, 3, height, width))[0]
        rows, columns = red.shape[0] - 1, red.shape[1] - 1
        found = (red[0, 0], green[rows, columns], blue[rows // 2, columns // 2])
        found = (*found, torch.stack((red, green, blue)).std())
        torch.testing.assert_close(torch.stack(found), torch.tensor(expected), rtol=0, atol=1e-5)


def seen_from(net: SwinIR, *, row: int, column: int) -> Tensor:
    """The input pixels on which an output pixel of a net of scale 1 depends."""
    image = noise(1, 3, 12, 12).requires_grad_()
    net(image)[0, :, row, column].sum().backward()
    assert image.grad is not None
    return image.grad[0].abs().amax(0) > 0


def without_convolutions(depth: int) -> SwinIR:
    """A net of one group whose 3 x 3 convolutions see their own pixel alone."""
    net = make(scale=1, upsampler="", depths=[depth], num_heads=[2])
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            own = layer.weight.detach()[..., 1, 1].clone()
            nn.init.zeros_(layer.weight)
            with torch.no_grad():
                layer.weight[..., 1, 1] = own
    return net


def test_a_pixel_sees_its_window_and_then_the_shifted_one() -> None:
    window = torch.zeros(12, 12, dtype=torch.bool)
    window[4:8, 4:8] = True
    assert torch.equal(seen_from(without_convolutions(1), row=5, column=6), window)
    # The shifted window of that pixel spans rows 2 to 5 and columns 6 to 9, and those lie in four windows.
    four = torch.zeros(12, 12, dtype=torch.bool)
    four[0:8, 4:12] = True
    assert torch.equal(seen_from(without_convolutions(2), row=5, column=6), four)


def test_a_shifted_window_does_not_look_across_the_border() -> None:
    """Rolled by half a window, the corner shares one with the other three corners of the picture."""
    corner = torch.zeros(12, 12, dtype=torch.bool)
    corner[0:4, 0:4] = True
    assert torch.equal(seen_from(without_convolutions(2), row=0, column=0), corner)


def test_without_branches_the_groups_are_their_convolutions() -> None:
    net = make(scale=1, upsampler="")
    for layer in net.layers:
        for block in layer.residual_group.blocks:
            nn.init.zeros_(block.attn.proj.weight), nn.init.zeros_(block.attn.proj.bias)
            nn.init.zeros_(block.mlp.fc2.weight), nn.init.zeros_(block.mlp.fc2.bias)
    image = noise(1, 3, 8, 12) - net.mean_in
    shallow = net.conv_first(image)
    features = net.patch_embed(shallow.movedim(1, 3)).movedim(3, 1)
    for layer in net.layers:
        features = features + layer.conv(features)
    deep = net.conv_after_body(net.norm(features.movedim(1, 3)).movedim(3, 1))
    expected = image + net.conv_last(shallow + deep) + net.mean_in
    torch.testing.assert_close(net(image + net.mean_in), expected)


def test_stochastic_depth_keeps_the_mean_and_is_for_training_alone() -> None:
    net = make(scale=1, upsampler="", depths=[2], num_heads=[2], drop_path_rate=0.5)
    image = noise(1, 3, 8, 8).expand(400, -1, -1, -1)
    torch.manual_seed(0)
    with torch.no_grad():
        whole = net(image[:1])
        drawn = net.train()(image)
    # The first block is never left out; the two branches of the second are, each half of the time.
    assert len(torch.unique((drawn * 1e3).round(), dim=0)) == 4
    assert not any(torch.allclose(each, whole[0], atol=1e-3) for each in drawn)


def test_the_size_of_stored_masks_changes_no_picture() -> None:
    small, large = make(img_size=8), make(img_size=16)
    key = "layers.1.residual_group.blocks.1.attn_mask"
    assert (small.state_dict()[key].shape, large.state_dict()[key].shape) == ((4, 16, 16), (16, 16, 16))
    with torch.no_grad():
        assert torch.equal(small(noise(1, 3, 12, 8)), large(noise(1, 3, 12, 8)))


def test_the_names_of_the_published_files() -> None:
    names = set(make(**VARIANTS["real"]).state_dict())
    block = "layers.1.residual_group.blocks.1"
    parts = ["attn_mask", "attn.relative_position_bias_table", "attn.relative_position_index"]
    parts += [
        f"{layer}.{kind}"
        for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
        for kind in ("weight", "bias")
    ]
    assert {name for name in names if name.startswith(block)} == {f"{block}.{part}" for part in parts}
    layers = ["conv_first", "patch_embed.norm", "norm", "conv_before_upsample.0", "conv_up1", "conv_up2"]
    layers += ["conv_hr", "conv_last", *(f"conv_after_body.{number}" for number in (0, 2, 4))]
    layers += [f"layers.{group}.conv.{number}" for group in (0, 1) for number in (0, 2, 4)]
    rest = {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    assert {name for name in names if ".residual_group." not in name} == rest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scale": 5}, "scale=5 must be one of 1, 2, 3, 4, 8"),
        ({"scale": 2, "upsampler": ""}, "scale=2 must be one of 1"),
        ({"upsampler": "nearest"}, "upsampler='nearest' must be one of 'pixelshuffle'"),
        ({"resi_connection": "2conv"}, "resi_connection='2conv' must be one of '1conv', '3conv'"),
        ({"scale": 1, "upsampler": "", "out_channels": 1}, "out_channels=1 must equal in_channels=3"),
        ({"embed_dim": 10}, "embed_dim=10 must be a multiple of num_heads=3"),
        ({"num_heads": [2]}, r"depths=\[2, 2\] and num_heads=\[2\] must have the same length"),
        ({"depths": [2, 0]}, "depths=0 must be 1 or more"),
        ({"window_size": 1}, "window_size=1 must be 2 or more"),
        ({"img_size": 10}, "img_size=10 must be a larger multiple of window_size=4"),
        ({"drop_path_rate": 1.0}, "drop_path_rate=1.0 must be at least 0 and less than 1"),
        ({"memory": "lean"}, "memory='lean'"),
    ],
)
def test_a_net_that_cannot_be_is_refused_by_name(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SwinIR(**TINY | arguments)
