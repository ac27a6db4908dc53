"""The style loss against Gram matrices that are written out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr.features.imagenet import ImageNetFeatures
from sr.losses.style import StyleLoss, gram

WriteFile = Callable[..., Path]


def test_gram_is_the_mean_product_of_channels() -> None:
    features = torch.randn(2, 3, 4, 5)
    found = gram(features)
    for image, matrix in zip(features.numpy(), found.numpy(), strict=True):
        for i in range(3):
            for j in range(3):
                expected = (image[i] * image[j]).sum() / (3 * 4 * 5)
                assert matrix[i, j] == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert gram(features.bfloat16()).dtype == torch.float32


def test_it_is_the_weighted_sum_over_layers(vgg_file: WriteFile) -> None:
    file = str(vgg_file(2))
    sr, hr = torch.rand(2, 2, 3, 12, 12)
    loss = StyleLoss(layers={"relu1_1": 0.5, "relu1_2": 2.0}, weights=file)
    vgg = ImageNetFeatures(layers=["relu1_1", "relu1_2"], weights=file)
    expected = sum(
        weight * np.abs(gram(vgg(sr)[name]).numpy() - gram(vgg(hr)[name]).numpy()).mean()
        for name, weight in (("relu1_1", 0.5), ("relu1_2", 2.0))
    )
    assert loss(sr, hr).item() == pytest.approx(float(expected), rel=1e-5)
    assert loss(hr, hr).item() == 0


def test_where_things_are_does_not_matter(vgg_file: WriteFile) -> None:
    loss = StyleLoss(layers={"relu1_1": 1.0}, weights=str(vgg_file(1)))
    image = torch.rand(1, 3, 16, 16)
    inside = torch.zeros(1, 3, 24, 24)
    moved = inside.clone()
    inside[..., 2:18, 2:18], moved[..., 5:21, 4:20] = image, image
    assert loss(inside, moved) < 1e-3 * loss(inside, torch.zeros_like(inside))


class Edges(nn.Module):
    """A net of a user's own."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return {"right": image[..., 1:] - image[..., :-1]}


def test_gradients_through_a_net_of_ones_own() -> None:
    loss = StyleLoss(layers={"right": 1.0}, net=Edges())
    sr, hr = torch.rand(2, 1, 3, 4, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, (sr.requires_grad_(), hr))
    with pytest.raises(ValueError, match="layers: Edges gives right, and no left"):
        StyleLoss(layers={"left": 1.0}, net=Edges())(sr, hr)
    with pytest.raises(ValueError, match=r"weights=a\.pth: Edges is a net of your own"):
        StyleLoss(layers={"right": 1.0}, net=Edges(), weights="a.pth")


def test_resized_images_are_compared(vgg_file: WriteFile) -> None:
    file = str(vgg_file(1))
    sr, hr = torch.rand(2, 1, 3, 20, 24)
    small = StyleLoss(layers={"relu1_1": 1.0}, weights=file, resize=8)
    plain = StyleLoss(layers={"relu1_1": 1.0}, weights=file)
    resized = (
        nn.functional.interpolate(each, size=(8, 8), mode="bilinear", antialias=True) for each in (sr, hr)
    )
    torch.testing.assert_close(small(sr, hr), plain(*resized))
    with pytest.raises(ValueError, match="resize=0 must be 1 or more"):
        StyleLoss(layers={"relu1_1": 1.0}, weights=file, resize=0)
