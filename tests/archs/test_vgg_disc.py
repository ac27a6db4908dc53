"""VGGDiscriminator: published size and names, patch sizes, and an independent functional forward."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sr.archs.vgg_disc import VGGDiscriminator

CONVS = [f"{stage}_{half}" for stage in range(5) for half in (0, 1)]


def random_image(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


def test_published_number_of_parameters() -> None:
    with torch.device("meta"):
        net = VGGDiscriminator()
    assert sum(parameter.numel() for parameter in net.parameters()) == 14_499_401


def test_published_key_names() -> None:
    kinds = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    expected = {f"conv{name}.weight" for name in CONVS} | {"conv0_0.bias"}
    expected |= {f"bn{name}.{kind}" for name in CONVS[1:] for kind in kinds}
    expected |= {f"linear{i}.{kind}" for i in (1, 2) for kind in ("weight", "bias")}
    assert set(VGGDiscriminator(num_feat=2).state_dict()) == expected


def test_equals_the_published_structure() -> None:
    torch.manual_seed(0)
    net = VGGDiscriminator(num_feat=2, patch_size=64).double().eval()
    state = net.state_dict()
    generator = torch.Generator().manual_seed(2)
    for name in CONVS[1:]:  # statistics that are not their starting values
        state[f"bn{name}.running_mean"].normal_(0, 0.1, generator=generator)
        state[f"bn{name}.running_var"].uniform_(0.01, 0.1, generator=generator)
    image = random_image(2, 3, 64, 64).double()

    x = F.leaky_relu(F.conv2d(image, state["conv0_0.weight"], state["conv0_0.bias"], padding=1), 0.2)
    for name in CONVS[1:]:
        x = F.conv2d(x, state[f"conv{name}.weight"], stride=2 if name.endswith("_1") else 1, padding=1)
        mean, variance, weight, bias = (
            state[f"bn{name}.{kind}"].reshape(1, -1, 1, 1)
            for kind in ("running_mean", "running_var", "weight", "bias")
        )
        x = F.leaky_relu((x - mean) / (variance + 1e-5).sqrt() * weight + bias, 0.2)
    hidden = F.leaky_relu(x.reshape(2, -1) @ state["linear1.weight"].T + state["linear1.bias"], 0.2)
    expected = hidden @ state["linear2.weight"].T + state["linear2.bias"]
    assert (expected[0] - expected[1]).abs().item() > 1e-6
    torch.testing.assert_close(net(image), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("patch_size", "inputs"), [(32, 16), (96, 144), (128, 256)])
def test_patch_size_sets_the_first_linear_layer(patch_size: int, inputs: int) -> None:
    net = VGGDiscriminator(num_feat=2, patch_size=patch_size)
    assert net.linear1.weight.shape == (100, inputs)  # 8 * num_feat channels of (patch_size / 32) ** 2 pixels
    assert net(random_image(2, 3, patch_size, patch_size)).shape == (2, 1)


@pytest.mark.parametrize("channels", [1, 4])
def test_any_number_of_channels(channels: int) -> None:
    net = VGGDiscriminator(in_channels=channels, num_feat=2, patch_size=32)
    assert net(random_image(2, channels, 32, 32)).shape == (2, 1)


@pytest.mark.parametrize("patch_size", [0, -32, 16, 48, 100])
def test_error_names_the_patch_size_and_the_requirement(patch_size: int) -> None:
    with pytest.raises(ValueError, match=rf"patch_size={patch_size} must be a positive multiple of 32"):
        VGGDiscriminator(patch_size=patch_size)


@pytest.mark.parametrize(("height", "width"), [(32, 64), (64, 32), (96, 96)])
def test_error_names_the_size_of_the_input(height: int, width: int) -> None:
    net = VGGDiscriminator(num_feat=2, patch_size=64)
    with pytest.raises(ValueError, match=rf"image size {height}x{width} must be patch_size=64"):
        net(random_image(2, 3, height, width))
