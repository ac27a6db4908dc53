"""RRDBNet: published size and names, and nets zeroed until what is left is known."""

import math

import pytest
import torch
from torch import Tensor, nn

from sr.archs.rrdbnet import ResidualDenseBlock, RRDBNet


def tiny(*, scale: int = 4, channels: int = 3, num_block: int = 2) -> RRDBNet:
    torch.manual_seed(0)
    return RRDBNet(
        scale=scale,
        in_channels=channels,
        out_channels=channels,
        num_feat=8,
        num_block=num_block,
        num_grow_ch=4,
    ).eval()


def random_image(*shape: int, seed: int = 1) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def pass_through(conv: nn.Conv2d, *, inputs: list[int]) -> None:
    """Make output channel i a copy of input channel inputs[i], and the other outputs zero."""
    assert conv.bias is not None
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    with torch.no_grad():
        for output, source in enumerate(inputs):
            conv.weight[output, source, 1, 1] = 1


def zero_dense_blocks(net: RRDBNet) -> None:
    for module in net.modules():
        if isinstance(module, ResidualDenseBlock):
            for parameter in module.parameters():
                nn.init.zeros_(parameter)


def copying_net(*, scale: int, inputs: list[int]) -> RRDBNet:
    """Empty blocks, and the other convolutions copy: unshuffling, body gain and upsampling are left."""
    net = tiny(scale=scale)
    zero_dense_blocks(net)
    pass_through(net.conv_first, inputs=inputs)
    for name, conv in net.named_children():
        if name.startswith("conv_") and name != "conv_first":
            pass_through(conv, inputs=[0, 1, 2])
    return net


def nearest(image: Tensor, factor: int) -> Tensor:
    return image.repeat_interleave(factor, dim=-1).repeat_interleave(factor, dim=-2)


# A dense block without a branch is the identity, so a block of blocks is x + 0.2 x, two of them 1.2 ** 2.
GAIN = 1 + 1.2**2


@pytest.mark.parametrize("scale", [3, 4, 8])
def test_empty_blocks_leave_nearest_upsampling_and_the_residual_gain(scale: int) -> None:
    image = random_image(2, 3, 4, 5)
    sr = copying_net(scale=scale, inputs=[0, 1, 2])(image)
    torch.testing.assert_close(sr, nearest(GAIN * image, scale), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("scale", "factor"), [(2, 2), (1, 4)])
def test_small_scales_unshuffle_the_input(scale: int, factor: int) -> None:
    image = random_image(1, 3, 8, 12)
    # Channel c at offset (y, x) becomes channel c * factor**2 + y * factor + x of the smaller image.
    chosen = [(0, 0, 1), (2, 1, 0), (1, factor - 1, factor - 1)]
    net = copying_net(scale=scale, inputs=[c * factor**2 + y * factor + x for c, y, x in chosen])
    grids = torch.stack([image[:, c, y::factor, x::factor] for c, y, x in chosen], dim=1)
    torch.testing.assert_close(net(image), nearest(GAIN * grids, 4), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("scale", [1, 2])
def test_the_layout_of_2018_keeps_the_input_as_it_is(scale: int) -> None:
    """Its outputs are compared with a net of that time in test_dialects."""
    net = RRDBNet(scale=scale, num_feat=4, num_block=1, num_grow_ch=2, unshuffle=False)
    assert net.conv_first.in_channels == 3
    assert sum(name.startswith("conv_up") for name, _ in net.named_children()) == scale - 1
    assert net(random_image(1, 3, 5, 7)).shape == (1, 3, 5 * scale, 7 * scale)


def test_activation_leaks_a_fifth() -> None:
    net = copying_net(scale=4, inputs=[0, 1, 2])
    image = -random_image(1, 3, 3, 3)
    # Negative values pass three activations: two after upsampling, one before the last convolution.
    torch.testing.assert_close(net(image), nearest(0.2**3 * GAIN * image, 4), rtol=1e-5, atol=1e-7)


def test_dense_block_equals_its_equations() -> None:
    torch.manual_seed(0)
    block = ResidualDenseBlock(num_feat=4, num_grow_ch=3).double()
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.3)
    x = random_image(2, 4, 5, 6).double() - 0.5

    def conv(layer: nn.Conv2d, *features: Tensor) -> Tensor:
        return nn.functional.conv2d(torch.cat(features, 1), layer.weight, layer.bias, padding=1)

    def leaky(y: Tensor) -> Tensor:
        return torch.maximum(y, 0.2 * y)

    x1 = leaky(conv(block.conv1, x))
    x2 = leaky(conv(block.conv2, x, x1))
    x3 = leaky(conv(block.conv3, x, x1, x2))
    x4 = leaky(conv(block.conv4, x, x1, x2, x3))
    x5 = conv(block.conv5, x, x1, x2, x3, x4)
    torch.testing.assert_close(block(x), x + 0.2 * x5, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (5, 7), (8, 6)])
def test_sizes_that_do_not_divide_are_continued_by_the_edge_and_cropped(
    scale: int, height: int, width: int
) -> None:
    net = tiny(scale=scale)
    image = random_image(1, 3, height, width)
    rows = torch.arange(math.ceil(height / 4) * 4).clamp(max=height - 1)
    columns = torch.arange(math.ceil(width / 4) * 4).clamp(max=width - 1)
    continued = image[:, :, rows][:, :, :, columns]
    sr = net(image)
    assert sr.shape == (1, 3, height * scale, width * scale)
    if scale == 1:  # x2 pads to a multiple of 2 only, so there a multiple of 4 is another image
        torch.testing.assert_close(sr, net(continued)[..., :height, :width], rtol=1e-5, atol=1e-6)
    else:
        even = continued[..., : height + height % 2, : width + width % 2]
        torch.testing.assert_close(sr, net(even)[..., : height * 2, : width * 2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("scale", "step"), [(1, 4), (2, 2), (3, 1), (4, 1), (8, 1)])
def test_translation(scale: int, step: int) -> None:
    """A shift of the input by `step` (the unshuffling factor) pixels shifts the output by step * scale."""
    net = tiny(scale=scale, num_block=1)
    with torch.no_grad():  # undo the small start, so that the dense blocks count
        for name, parameter in net.body.named_parameters():
            if name.endswith("weight"):
                parameter.mul_(10)
    side = 52 * step
    image = random_image(1, 3, side + step, side + 2 * step)
    with torch.no_grad():
        here = net(image[..., :side, :side])
        there = net(image[..., step:, 2 * step :])
    border = 24 * step * scale  # 17 convolutions at the low resolution, under 4 pixels above it
    down, right = step * scale, 2 * step * scale
    inside = here[..., border:-border, border:-border]
    shifted = there[..., border - down : -border - down, border - right : -border - right]
    assert inside.std() > 1e-3
    torch.testing.assert_close(inside, shifted, rtol=1e-4, atol=1e-5)


def test_published_number_of_parameters() -> None:
    with torch.device("meta"):
        net = RRDBNet()
    assert sum(parameter.numel() for parameter in net.parameters()) == 16_697_987


@pytest.mark.parametrize(("scale", "up"), [(1, 2), (2, 2), (3, 1), (4, 2), (8, 3)])
def test_published_key_names(scale: int, up: int) -> None:
    convs = ["conv_first", "conv_body", "conv_hr", "conv_last", *(f"conv_up{i}" for i in range(1, up + 1))]
    convs += [f"body.{i}.rdb{j}.conv{k}" for i in range(2) for j in (1, 2, 3) for k in (1, 2, 3, 4, 5)]
    state = tiny(scale=scale).state_dict()
    assert set(state) == {f"{conv}.{kind}" for conv in convs for kind in ("weight", "bias")}
    assert state["conv_first.weight"].shape == (8, {1: 48, 2: 12, 3: 3, 4: 3, 8: 3}[scale], 3, 3)
    assert state["body.1.rdb3.conv5.weight"].shape == (8, 8 + 4 * 4, 3, 3)


def test_initialisation_is_scaled_in_the_dense_blocks_only() -> None:
    torch.manual_seed(0)
    net = RRDBNet(num_block=1)
    dense = net.body[0].get_submodule("rdb2.conv4")
    assert isinstance(dense, nn.Conv2d) and dense.bias is not None
    kaiming = math.sqrt(2 / (9 * (64 + 3 * 32)))
    assert dense.weight.std().item() == pytest.approx(0.1 * kaiming, rel=0.02)
    assert not dense.bias.any()
    # PyTorch's default elsewhere: uniform in +-1 / sqrt(fan-in), so its deviation is that / sqrt(3).
    assert net.conv_body.weight.std().item() == pytest.approx(1 / math.sqrt(3 * 9 * 64), rel=0.02)


@pytest.mark.parametrize(("in_channels", "out_channels"), [(1, 1), (4, 4), (8, 3)])
@pytest.mark.parametrize("scale", [2, 4])
def test_any_number_of_channels(in_channels: int, out_channels: int, scale: int) -> None:
    net = RRDBNet(
        scale=scale,
        in_channels=in_channels,
        out_channels=out_channels,
        num_feat=4,
        num_block=1,
        num_grow_ch=2,
    )
    assert net(random_image(2, in_channels, 3, 5)).shape == (2, out_channels, 3 * scale, 5 * scale)


@pytest.mark.parametrize("scale", [0, 5, 16])
def test_error_names_the_scale_and_the_choices(scale: int) -> None:
    with pytest.raises(ValueError, match=rf"scale={scale} must be one of 1, 2, 3, 4, 8"):
        RRDBNet(scale=scale)
