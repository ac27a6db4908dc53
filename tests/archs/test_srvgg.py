"""SRVGGNetCompact: published size and names, the skip, the pixel shuffle and the start of training."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from sr.archs.bicubic import Bicubic
from sr.archs.patch_disc import PatchDiscriminator
from sr.archs.srvgg import SRVGGNetCompact
from sr.weights.describe import describe

Skip = Literal["nearest", "bicubic"]
Activation = Literal["prelu", "relu", "leakyrelu"]


def random_image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def nearest(image: Tensor, factor: int) -> Tensor:
    return image.repeat_interleave(factor, dim=-1).repeat_interleave(factor, dim=-2)


def last_conv(net: SRVGGNetCompact) -> nn.Conv2d:
    conv = net.body[-1]
    assert isinstance(conv, nn.Conv2d) and conv.bias is not None
    return conv


@pytest.mark.parametrize(("num_conv", "last", "count"), [(16, 34, 621_424), (32, 66, 1_213_296)])
def test_published_size_and_key_names(num_conv: int, last: int, count: int) -> None:
    with torch.device("meta"):
        net = SRVGGNetCompact(num_conv=num_conv)
    state = net.state_dict()
    convs = {f"body.{i}.{kind}" for i in range(0, last + 1, 2) for kind in ("weight", "bias")}
    assert set(state) == convs | {f"body.{i}.weight" for i in range(1, last, 2)}
    assert state[f"body.{last}.weight"].shape == (48, 64, 3, 3)
    assert state["body.1.weight"].shape == (64,)
    assert sum(parameter.numel() for parameter in net.parameters()) == count


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("skip", ["nearest", "bicubic"])
def test_without_a_residual_the_skip_is_left(scale: int, skip: Skip) -> None:
    net = SRVGGNetCompact(scale=scale, num_feat=4, num_conv=1, skip=skip)
    nn.init.zeros_(last_conv(net).weight)
    image = random_image(2, 3, 5, 7)
    expected = nearest(image, scale) if skip == "nearest" else Bicubic(scale=scale)(image)
    assert torch.equal(net(image), expected)


def test_pixel_shuffle_puts_channel_c_y_x_at_offset_y_x() -> None:
    net = SRVGGNetCompact(scale=3, num_feat=4, num_conv=1)
    conv = last_conv(net)
    nn.init.zeros_(conv.weight)
    conv.bias = nn.Parameter(torch.arange(27.0))
    pattern = torch.arange(27.0).reshape(3, 3, 3)  # (channel, y, x)
    assert torch.equal(net(torch.zeros(1, 3, 2, 4)), pattern.repeat(1, 2, 4)[None])


@pytest.mark.parametrize("skip", ["nearest", "bicubic"])
def test_starts_close_to_its_skip_but_not_on_it(skip: Skip) -> None:
    torch.manual_seed(0)
    net = SRVGGNetCompact(num_feat=8, num_conv=16, skip=skip)  # with less than four features for each channel
    image = random_image(1, 3, 16, 16)
    upsampled = nearest(image, 4) if skip == "nearest" else Bicubic(scale=4)(image)
    sr = net(image)
    root_mean_square = (sr - upsampled).square().mean().sqrt().item()
    assert 1e-4 < root_mean_square < 0.02  # 0.02 is 34 dB
    sr.square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_signal_keeps_its_strength_through_the_stack() -> None:
    """PyTorch's default initialisation weakens it to 1e-3 of this over 16 layers."""
    torch.manual_seed(0)
    net = SRVGGNetCompact(num_feat=32, num_conv=16)
    image = random_image(1, 3, 24, 24) - 0.5
    strength = net.body[:-1](image)[..., 4:-4, 4:-4].square().mean() / image.square().mean()
    assert 0.1 < strength.item() < 10


def test_translation() -> None:
    torch.manual_seed(0)
    net = SRVGGNetCompact(scale=2, num_feat=8, num_conv=2, skip="bicubic")
    with torch.no_grad():
        last_conv(net).weight.mul_(100)
    image = random_image(1, 3, 21, 22)
    here, there = net(image[..., :20, :20]), net(image[..., 1:, 2:])
    torch.testing.assert_close(here[..., 12:-10, 14:-10], there[..., 10:-12, 10:-14], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("activation", "slope"), [("prelu", 0.25), ("relu", 0.0), ("leakyrelu", 0.1)])
def test_activations(activation: Activation, slope: float) -> None:
    """The slopes of BasicSR's; PReLU alone has parameters, and the places of the convolutions are the same."""
    net = SRVGGNetCompact(num_feat=4, num_conv=2, activation=activation)
    features = torch.tensor([-1.0, 2.0]).reshape(1, 1, 1, 2).expand(1, 4, 1, 2)
    assert net.body[1](features)[0, 0, 0].tolist() == pytest.approx([-slope, 2.0])
    assert ("body.1.weight" in net.state_dict()) == (activation == "prelu")
    assert isinstance(net.body[6], nn.Conv2d) and len(net.body) == 7
    description = describe(net.state_dict())
    # No tensor tells leaky ReLU from ReLU.
    assumed = "relu" if activation == "leakyrelu" else activation
    assert description is not None and (description["activation"], description["num_conv"]) == (assumed, 2)


def test_a_stack_of_convolutions_with_anything_else_is_another_net() -> None:
    weights = SRVGGNetCompact(num_feat=4, num_conv=2, activation="relu").state_dict()
    assert describe(weights | {"body.3.weight": torch.ones(4)}) is None
    assert describe({key: value for key, value in weights.items() if key != "body.2.bias"}) is None
    assert describe(PatchDiscriminator(num_feat=4).state_dict()) is None


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("skip", ["nearest", "bicubic"])
def test_any_number_of_channels_and_any_size(channels: int, skip: Skip) -> None:
    net = SRVGGNetCompact(in_channels=channels, out_channels=channels, num_feat=4, num_conv=1, skip=skip)
    assert net(random_image(2, channels, 1, 3)).shape == (2, channels, 4, 12)


def test_errors_name_the_argument_and_the_choices() -> None:
    with pytest.raises(ValueError, match=r"scale=0 must be a positive integer"):
        SRVGGNetCompact(scale=0)
    with pytest.raises(ValueError, match=r"skip='linear' must be one of 'nearest', 'bicubic'"):
        SRVGGNetCompact(skip="linear")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"activation='gelu' must be one of 'prelu', 'relu', 'leakyrelu'"):
        SRVGGNetCompact(activation="gelu")  # type: ignore[arg-type]
    # One input channel would broadcast over three output channels without an error.
    with pytest.raises(ValueError, match=r"out_channels=3 must equal in_channels=1"):
        SRVGGNetCompact(in_channels=1)
