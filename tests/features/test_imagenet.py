from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from sr.features.imagenet import ImageNetFeatures
from sr.features.stacks import STACKS

torch.set_num_threads(1)

WriteFile = Callable[..., Path]
CONVOLUTIONS = [
    f"conv{block}_{number}"
    for block, count in enumerate((2, 2, 4, 4, 4), 1)
    for number in range(1, count + 1)
]


def reference(file: Path, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every convolution's output, from the key names alone: convolve, keep, rectify; halve where a position
    is skipped."""
    state = torch.load(file, weights_only=True)
    value = (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    outputs, block, number, previous = {}, 1, 0, -2
    for position in sorted(
        int(key.split(".")[1]) for key in state if key.startswith("features") and "bias" in key
    ):
        if position - previous == 3:
            value, block, number = F.max_pool2d(value, 2, 2), block + 1, 0
        number, previous = number + 1, position
        weight, bias = state[f"features.{position}.weight"], state[f"features.{position}.bias"]
        value = F.conv2d(value, weight, bias, padding=1)
        outputs[f"conv{block}_{number}"] = value
        value = value.clamp(min=0)
    return outputs


def test_names_are_torchvision_positions() -> None:
    positions = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert [list(STACKS["vgg19"]).index(name) for name in CONVOLUTIONS] == positions


def test_all_sixteen_features_equal_an_independent_computation(vgg_file: WriteFile) -> None:
    file = vgg_file(16)
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    features, expected = (
        ImageNetFeatures(layers=CONVOLUTIONS, weights=str(file))(image),
        reference(file, image),
    )
    assert list(features) == list(expected)
    for name, value in expected.items():
        assert value.std() > 0.03, "the comparison would be empty"
        torch.testing.assert_close(features[name], value, rtol=1e-4, atol=1e-5)


def test_features_are_taken_before_the_activation_and_not_overwritten_after(vgg_file: WriteFile) -> None:
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    features = ImageNetFeatures(layers=["conv2_1", "conv1_1", "conv1_2"], weights=str(vgg_file(3)))(image)
    assert {name: tuple(value.shape) for name, value in features.items()} == {
        "conv1_1": (2, 64, 8, 8),
        "conv1_2": (2, 64, 8, 8),
        "conv2_1": (2, 128, 4, 4),
    }
    for value in features.values():
        assert 0.2 < (value < 0).float().mean() < 0.8


def test_the_net_ends_at_the_deepest_layer_and_is_frozen(vgg_file: WriteFile) -> None:
    vgg = ImageNetFeatures(layers=["conv1_2", "conv2_1"], weights=str(vgg_file(16)))
    assert list(vgg.state_dict()) == [
        f"features.{position}.{kind}" for position in (0, 2, 5) for kind in ("weight", "bias")
    ]
    assert not vgg.training
    assert not any(parameter.requires_grad for parameter in vgg.parameters())


def test_building_it_draws_no_random_numbers(vgg_file: WriteFile) -> None:
    file = vgg_file(2)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    ImageNetFeatures(layers=["conv1_2"], weights=str(file))
    assert torch.equal(torch.get_rng_state(), before)


def test_half_precision_files_become_float32(vgg_file: WriteFile, tmp_path: Path) -> None:
    state = torch.load(vgg_file(1), weights_only=True)
    torch.save({key: value.half() for key, value in state.items()}, tmp_path / "half.pth")
    vgg = ImageNetFeatures(layers=["conv1_1"], weights=str(tmp_path / "half.pth"))
    assert vgg.state_dict()["features.0.weight"].dtype == torch.float32


@pytest.mark.parametrize("layers", [[], ["conv1_1", "relu6_1"], ["conv1_3"]])
def test_unknown_layers_are_refused_with_the_choices(layers: list[str]) -> None:
    with pytest.raises(ValueError, match=r"conv1_1, relu1_1, conv1_2, .*conv5_4") as caught:
        ImageNetFeatures(layers=layers)
    assert str(layers) in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 4, 8, 8), (3, 8, 8)])
def test_images_must_be_rgb_batches(vgg_file: WriteFile, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="needs RGB"):
        ImageNetFeatures(layers=["conv1_1"], weights=str(vgg_file(1)))(torch.zeros(shape))


def test_images_too_small_for_the_deepest_layer_are_refused(vgg_file: WriteFile) -> None:
    vgg = ImageNetFeatures(layers=["conv3_1"], weights=str(vgg_file(5)))  # behind two poolings: 4 pixels
    assert vgg(torch.zeros(1, 3, 4, 5))["conv3_1"].shape == (1, 256, 1, 1)
    with pytest.raises(ValueError, match=r"3x9 pixels are too small for VGG19's conv3_1: .* at least 4x4"):
        vgg(torch.zeros(1, 3, 3, 9))
