"""SRResNet: size, names, scales, and nets zeroed until what is left is known."""

import pytest
import torch
from torch import Tensor, nn

from sr.archs.srresnet import ResidualBlock, SRResNet


def random_image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def pass_through(conv: nn.Conv2d, *, times: int = 1) -> None:
    """Copy input channel i to the output channels times * i ... times * (i + 1) - 1, for i = 0, 1, 2."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    centre = conv.kernel_size[0] // 2
    with torch.no_grad():
        for channel in range(3):
            conv.weight[times * channel : times * (channel + 1), channel, centre, centre] = 1


def test_number_of_parameters() -> None:
    with torch.device("meta"):
        net = SRResNet()
    ends = 9 * 9 * 3 * 64 + 64 + 9 * 9 * 64 * 3 + 3
    block = 2 * (9 * 64 * 64 + 2 * 64) + 64  # two convolutions with batch norm, one PReLU
    upsampling = 2 * (9 * 64 * 256 + 256 + 64)
    expected = ends + 64 + 16 * block + (9 * 64 * 64 + 2 * 64) + upsampling
    assert sum(parameter.numel() for parameter in net.parameters()) == expected == 1_548_547


@pytest.mark.parametrize("batch_norm", [True, False])
def test_key_names(batch_norm: bool) -> None:
    state = SRResNet(num_feat=4, num_block=2, batch_norm=batch_norm).state_dict()
    convs = ["conv_first", "conv_last", "upsampling.0", "upsampling.3"]
    inner = ["body.0.conv1", "body.0.conv2", "body.1.conv1", "body.1.conv2", "conv_body"]
    prelus = {
        f"{name}.weight" for name in ("prelu", "body.0.prelu", "body.1.prelu", "upsampling.2", "upsampling.5")
    }
    expected = prelus | {f"{name}.{kind}" for name in convs for kind in ("weight", "bias")}
    expected |= {f"{name}.weight" for name in inner}
    if batch_norm:
        kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        norms = ["body.0.bn1", "body.0.bn2", "body.1.bn1", "body.1.bn2", "bn_body"]
        expected |= {f"{name}.{kind}" for name in norms for kind in kinds}
    else:
        expected |= {f"{name}.bias" for name in inner}
    assert set(state) == expected
    assert state["conv_first.weight"].shape == (4, 3, 9, 9) and state["conv_last.weight"].shape == (
        3,
        4,
        9,
        9,
    )


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize(("scale", "steps"), [(1, ()), (2, (2,)), (3, (3,)), (4, (2, 2)), (8, (2, 2, 2))])
def test_empty_branches_and_copying_convolutions_leave_nearest_upsampling(
    scale: int, steps: tuple[int, ...], batch_norm: bool
) -> None:
    net = SRResNet(scale=scale, num_feat=3, num_block=2, batch_norm=batch_norm).eval()
    pass_through(net.conv_first)
    pass_through(net.conv_last)
    for conv, step in zip(net.upsampling[::3], steps, strict=True):
        assert isinstance(conv, nn.Conv2d)
        pass_through(conv, times=step**2)
    # A norm of zero gain (or a zero convolution) ends the long branch, so only the skip around it is left.
    ending = net.bn_body if batch_norm else net.conv_body
    for parameter in ending.parameters():
        nn.init.zeros_(parameter)
    image = random_image(2, 3, 4, 5)
    expected = image.repeat_interleave(scale, dim=-1).repeat_interleave(scale, dim=-2)
    torch.testing.assert_close(net(image), expected, rtol=1e-6, atol=1e-6)


def test_residual_block_equals_its_equations() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(num_feat=4, batch_norm=True).double()
    x = random_image(3, 4, 5, 6).double() - 0.5

    def normalised(y: Tensor) -> Tensor:
        mean, variance = y.mean((0, 2, 3), keepdim=True), y.var((0, 2, 3), keepdim=True, unbiased=False)
        return (y - mean) / (variance + 1e-5).sqrt()

    y = normalised(nn.functional.conv2d(x, block.conv1.weight, padding=1))
    y = torch.where(y > 0, y, 0.25 * y)
    y = normalised(nn.functional.conv2d(y, block.conv2.weight, padding=1))
    torch.testing.assert_close(block(x), x + y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_starts_at_a_moderate_strength(batch_norm: bool) -> None:
    """Sixteen residual sums do not blow the output up (Kaiming's initialisation makes its deviation 1.3)."""
    torch.manual_seed(0)
    net = SRResNet(scale=2, num_feat=32, batch_norm=batch_norm)
    assert 1e-3 < net(random_image(2, 3, 12, 12)).std().item() < 1


def test_translation() -> None:
    torch.manual_seed(0)
    net = SRResNet(scale=2, num_feat=8, num_block=2).eval()
    image = random_image(1, 3, 41, 42)
    here, there = net(image[..., :40, :40]), net(image[..., 1:, 2:])
    border = 30  # at the high resolution: 2 * (4 + 6) before upsampling, then under 2 + 4
    inside = here[..., border:-border, border:-border]
    shifted = there[..., border - 2 : -border - 2, border - 4 : -border - 4]
    assert inside.std() > 1e-3
    torch.testing.assert_close(inside, shifted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("in_channels", "out_channels"), [(1, 1), (5, 5), (4, 3)])
@pytest.mark.parametrize("scale", [1, 3])
def test_any_number_of_channels_and_any_size(in_channels: int, out_channels: int, scale: int) -> None:
    net = SRResNet(scale=scale, in_channels=in_channels, out_channels=out_channels, num_feat=4, num_block=1)
    assert net(random_image(2, in_channels, 1, 3)).shape == (2, out_channels, scale, 3 * scale)


@pytest.mark.parametrize("scale", [0, 5, 16])
def test_error_names_the_scale_and_the_choices(scale: int) -> None:
    with pytest.raises(ValueError, match=rf"scale={scale} must be one of 1, 2, 3, 4, 8"):
        SRResNet(scale=scale)
