"""OmniSR: the numbers of another implementation, windows, and what zeros leave."""

from typing import Any

import pytest
import torch
from tiny_nets import GENERATORS, lively, noise
from torch import nn

from sr.archs.omni_attention import Picture, Windows
from sr.archs.omnisr import OmniSR
from sr.weights.describe import describe


@pytest.mark.parametrize(
    ("size", "first_row", "last_row"),
    [
        (
            (16, 24),
            [-1.260834, -3.344129, 0.295112, -2.296824, 0.609937, -1.830547],
            [-0.941803, -0.986948, -1.141825],
        ),
        ((19, 21), [-0.575570, -3.035011, 0.233408, -2.927687, 1.032193], [-1.912560, 3.117553, -2.727299]),
    ],
)
def test_equals_spandrel(size: tuple[int, int], first_row: list[float], last_row: list[float]) -> None:
    """Version 0.4.2, whose code is the authors'; the second size does not divide by the window."""
    with torch.no_grad():
        sr = lively(GENERATORS["omnisr"](scale=2))(noise(1, 3, *size))
    torch.testing.assert_close(sr[0, 0, 0, ::9], torch.tensor(first_row), rtol=0, atol=3e-5)
    torch.testing.assert_close(sr[0, 2, -1, -3:], torch.tensor(last_row), rtol=0, atol=3e-5)


@pytest.mark.parametrize("far", [False, True])
def test_windows_hold_neighbours_or_pixels_far_apart(far: bool) -> None:
    image = torch.arange(6 * 4.0).reshape(1, 1, 6, 4)
    windows = Windows(2, far=far)(image)
    assert windows.shape == (1, 3, 2, 2, 2, 1)
    pixels = image[..., 1::3, 1::2] if far else image[..., 2:4, 2:4]
    assert torch.equal(windows[0, 1, 1, :, :, 0], pixels[0, 0])
    assert torch.equal(Picture(far=far)(windows), image)


def test_empty_branches_leave_the_convolutions_at_the_ends() -> None:
    net = lively(GENERATORS["omnisr"](scale=2))
    last = ("project_out.weight", "to_out.0.weight", "fn.5.weight", "fn.5.bias", "conv4.weight", "conv4.bias")
    for name, parameter in net.named_parameters():
        if name.endswith((*last, "residual_layer.1.bias")):
            nn.init.zeros_(parameter)
        elif name.endswith("residual_layer.1.weight"):  # the convolution that closes a group
            nn.init.dirac_(parameter)
    # A group doubles its input by its residual, and an empty mask halves it.
    image = noise(1, 3, 16, 24)
    shallow = net.get_submodule("input")(image)
    expected = net.get_submodule("up")(shallow + net.get_submodule("output")(shallow))
    torch.testing.assert_close(net(image), expected)


@pytest.mark.parametrize(("size", "padded"), [((3, 9), (16, 16)), ((17, 24), (24, 24)), ((40, 1), (40, 16))])
def test_a_picture_is_continued_by_zeros(size: tuple[int, int], padded: tuple[int, int]) -> None:
    net, image = lively(GENERATORS["omnisr"](scale=2)), noise(1, 3, *size)
    canvas = torch.zeros(1, 3, *padded)
    canvas[..., : size[0], : size[1]] = image
    with torch.no_grad():
        expected = net(canvas)[..., : 2 * size[0], : 2 * size[1]]
        torch.testing.assert_close(net(image), expected)


@pytest.mark.parametrize(
    "options", [{"pe": False, "bias": False}, {"window_size": 5}, {"num_block": 2}, {"scale": 3}]
)
def test_tensors_tell_every_argument(options: dict[str, Any]) -> None:
    sizes: dict[str, Any] = {"num_feat": 8, "num_group": 2, "num_block": 1, "window_size": 8, "scale": 4}
    arguments = sizes | {"pe": True, "bias": True, "in_channels": 3, "out_channels": 3} | options
    description = {"_target_": "sr.archs.omnisr.OmniSR", **arguments}
    assert describe(OmniSR(**arguments).state_dict()) == description


def test_shapes_that_no_omnisr_has_are_named() -> None:
    weights = GENERATORS["omnisr"](scale=2).state_dict()
    with pytest.raises(ValueError, match=r"up\.0\.weight has 13 channels"):
        describe(weights | {"up.0.weight": torch.zeros(13, 8, 3, 3)})
    offsets = torch.zeros(224, 4)
    with pytest.raises(ValueError, match="224 offsets"):
        describe(weights | {"residual_layer.0.residual_layer.0.layer.2.fn.rel_pos_bias.weight": offsets})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_feat": 6}, "num_feat=6 must be a multiple of 4"),
        ({"window_size": 4}, "window_size=4 must be 5 or more"),
        ({"num_group": 0}, "num_group=0 must be 1 or more"),
        ({"scale": 5}, "scale=5 must be one of 1, 2, 3, 4, 8"),
        ({"memory": "lean"}, "memory='lean' must be one of 'auto', 'plain', 'checkpoint'"),
    ],
)
def test_refusals_name_the_argument(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OmniSR(**options)
