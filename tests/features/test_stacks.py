"""The layers are those of torchvision, at its positions and under its keys."""

from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision_nets import FEATURES, write_features

from sr.features.imagenet import ImageNetFeatures
from sr.features.stacks import STACKS, output_size


@pytest.mark.parametrize("net", FEATURES)
def test_every_layer_is_that_of_torchvision(net: str, tmp_path: Path) -> None:
    reference = write_features(net, tmp_path / "net.pth")
    ours = ImageNetFeatures(net=net, layers=STACKS[net], weights=str(tmp_path / "net.pth"))
    assert len(ours.features) == len(reference)
    image = torch.rand(1, 3, 67, 70)
    value = (image - ours.mean) / ours.std
    for (name, found), stage in zip(ours(image).items(), reference, strict=True):
        value = stage(value)
        torch.testing.assert_close(found, value, msg=name)


@pytest.mark.parametrize("net", [*STACKS])
def test_the_size_is_computed_as_the_layers_make_it(net: str) -> None:
    for size in (3, 7, 16, 31, 66):
        value, computed = torch.zeros(1, 3, size, size), size
        for make in STACKS[net].values():
            stage = make()
            computed = output_size(stage, computed)
            if computed < 1:
                with pytest.raises(RuntimeError):
                    stage(value)
                break
            value = stage(value) if not isinstance(stage, nn.ReLU) else value
            assert value.shape[-1] == computed


def test_the_choices_are_named() -> None:
    with pytest.raises(ValueError, match="net=resnet: choose one of vgg19, vgg16, alexnet, squeezenet"):
        ImageNetFeatures(net="resnet", layers=["conv1"])
