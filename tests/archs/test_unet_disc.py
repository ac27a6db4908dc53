"""UNetDiscriminator: published size and names, spectral norm, and an independent functional forward."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sr.archs.unet_disc import UNetDiscriminator

NORMALISED = [f"conv{i}" for i in range(1, 9)]


def tiny(*, skip_connection: bool = True, average: bool = False) -> UNetDiscriminator:
    torch.manual_seed(0)
    return UNetDiscriminator(num_feat=4, skip_connection=skip_connection, average=average)


def random_image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def functional_unet(state: dict[str, Tensor], image: Tensor, *, skip_connection: bool) -> Tensor:
    """The published net from its state dict alone, weights divided by u^T W v."""
    weights = {name: state[f"{name}.weight"] for name in ("conv0", "conv9")}
    for name in NORMALISED:
        weight, u, v = (state[f"{name}.weight_{kind}"] for kind in ("orig", "u", "v"))
        weights[name] = weight / (u @ weight.flatten(1) @ v)

    def layer(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return F.leaky_relu(
            F.conv2d(x, weights[name], state.get(f"{name}.bias"), stride=stride, padding=1), 0.2
        )

    def doubled(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    keep = float(skip_connection)
    x0 = layer("conv0", image)
    x1 = layer("conv1", x0, 2)
    x2 = layer("conv2", x1, 2)
    x3 = layer("conv3", x2, 2)
    x4 = layer("conv4", doubled(x3)) + keep * x2
    x5 = layer("conv5", doubled(x4)) + keep * x1
    x6 = layer("conv6", doubled(x5)) + keep * x0
    x8 = layer("conv8", layer("conv7", x6))
    return F.conv2d(x8, weights["conv9"], state["conv9.bias"], padding=1)


@pytest.mark.parametrize("skip_connection", [True, False])
def test_equals_the_published_structure(skip_connection: bool) -> None:
    net = tiny(skip_connection=skip_connection).double().eval()
    image = random_image(2, 3, 16, 24).double()
    expected = functional_unet(net.state_dict(), image, skip_connection=skip_connection)
    assert expected.std() > 1e-4
    torch.testing.assert_close(net(image), expected, rtol=1e-9, atol=1e-12)


def test_published_number_of_parameters() -> None:
    with torch.device("meta"):
        net = UNetDiscriminator()
    assert sum(parameter.numel() for parameter in net.parameters()) == 4_376_897


def test_published_key_names() -> None:
    expected = {"conv0.weight", "conv0.bias", "conv9.weight", "conv9.bias"}
    expected |= {f"{name}.weight_{kind}" for name in NORMALISED for kind in ("orig", "u", "v")}
    net = tiny()
    assert set(net.state_dict()) == expected
    net(random_image(1, 3, 8, 8)).sum().backward()  # the norm replaces attributes in each forward
    assert set(net.state_dict()) == expected
    assert {name for name, _ in net.named_parameters()} == {
        name for name in expected if not name.endswith(("_u", "_v"))
    }


def test_state_dict_without_metadata_loads() -> None:
    """A file of another tool is a plain dict, without the `_metadata` that tells torch the norm's version."""
    source, target = tiny().eval(), UNetDiscriminator(num_feat=4).eval()
    image = random_image(1, 3, 16, 16)
    assert not torch.equal(source(image), target(image))
    target.load_state_dict({name: tensor.clone() for name, tensor in source.state_dict().items()})
    assert torch.equal(source(image), target(image))


def test_power_iteration_brings_the_spectral_norm_to_one_in_train_mode_only() -> None:
    net = tiny()
    image = random_image(1, 3, 8, 8)
    for _ in range(200):
        net(image)
    for name in NORMALISED:
        weight = net.get_submodule(name).weight
        assert isinstance(weight, Tensor)
        assert torch.linalg.matrix_norm(weight.flatten(1), ord=2).item() == pytest.approx(1, abs=0.02), name
    net.load_state_dict(tiny().state_dict())
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.eval()(image)
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    net.train()(image)
    assert all(not torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())


def test_two_forwards_before_one_backward_give_the_sum_of_their_gradients() -> None:
    real, fake = random_image(1, 3, 8, 8), 1 - random_image(1, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net = tiny()
        (net(real).square().mean() + net(fake).square().mean()).backward()
    together = {name: parameter.grad for name, parameter in net.named_parameters()}
    net = tiny()
    net(real).square().mean().backward()
    net(fake).square().mean().backward()  # adds to the gradients of the first
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name
        torch.testing.assert_close(together[name], parameter.grad, rtol=1e-5, atol=1e-8)


def test_average_is_the_mean_logit_of_each_image() -> None:
    image = random_image(3, 3, 16, 8)
    logits, averaged = tiny().eval()(image), tiny(average=True).eval()(image)
    assert logits.shape == (3, 1, 16, 8) and averaged.shape == (3, 1)
    torch.testing.assert_close(averaged[:, 0], torch.stack([image_logits.mean() for image_logits in logits]))


@pytest.mark.parametrize("channels", [1, 6])
def test_any_number_of_channels(channels: int) -> None:
    net = UNetDiscriminator(in_channels=channels, num_feat=4)
    assert net(random_image(2, channels, 8, 16)).shape == (2, 1, 8, 16)


@pytest.mark.parametrize(("height", "width"), [(12, 16), (16, 20), (33, 33)])
def test_error_names_the_size_and_the_requirement(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=rf"image size {height}x{width} must be a multiple of 8"):
        tiny()(random_image(1, 3, height, width))
