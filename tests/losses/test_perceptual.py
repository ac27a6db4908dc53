import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sr.features.imagenet import ImageNetFeatures
from sr.losses.perceptual import PerceptualLoss

torch.set_num_threads(1)

WriteFile = Callable[..., Path]


def images(size: int = 8, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    sr, hr = torch.rand(2, 2, 3, size, size, generator=torch.Generator().manual_seed(3), dtype=dtype)
    return sr, hr


@pytest.mark.parametrize("distance", ["l1", "l2"])
def test_it_is_the_weighted_sum_of_feature_distances(vgg_file: WriteFile, distance: str) -> None:
    file = str(vgg_file(4))
    sr, hr = images()
    loss = PerceptualLoss(layers={"conv1_2": 0.1, "conv2_2": 2.0}, distance=distance, weights=file)
    vgg = ImageNetFeatures(layers=["conv1_2", "conv2_2"], weights=file)
    difference = {name: vgg(sr)[name] - vgg(hr)[name] for name in ("conv1_2", "conv2_2")}
    power = 1 if distance == "l1" else 2
    expected = 0.1 * difference["conv1_2"].abs().pow(power).mean()
    expected = expected + 2.0 * difference["conv2_2"].abs().pow(power).mean()
    torch.testing.assert_close(loss(sr, hr), expected)
    assert loss(hr, hr).item() == 0


def test_the_default_is_esrgans_conv5_4_with_l1(vgg_file: WriteFile) -> None:
    file = str(vgg_file(16))
    sr, hr = images(16)
    vgg = ImageNetFeatures(layers=["conv5_4"], weights=file)
    expected = (vgg(sr)["conv5_4"] - vgg(hr)["conv5_4"]).abs().mean()
    assert expected > 1e-6
    torch.testing.assert_close(PerceptualLoss(weights=file)(sr, hr), expected)


def test_only_sr_gets_a_gradient(vgg_file: WriteFile) -> None:
    sr, hr = (image.requires_grad_() for image in images())
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, weights=str(vgg_file(2)))
    loss(sr, hr).backward()
    assert sr.grad.abs().sum() > 0
    assert hr.grad is None
    assert all(parameter.grad is None for parameter in loss.hidden.parameters())


def test_gradient_against_finite_differences(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, distance="l2", weights=str(vgg_file(2))).double()
    sr, hr = images(3, torch.float64)
    assert torch.autograd.gradcheck(loss, (sr[:1].requires_grad_(), hr[:1]))


def test_the_vgg_is_hidden_from_checkpoints_and_ddp(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, weights=str(vgg_file(2)))
    parent = torch.nn.ModuleDict({"perceptual": loss})
    for module in (loss, parent):
        assert module.state_dict() == {}
        assert list(module.parameters()) == []
        assert list(module.buffers()) == []
        assert not any(isinstance(child, ImageNetFeatures) for child in module.modules())


def test_the_hidden_vgg_follows_the_type_and_stays_frozen(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, weights=str(vgg_file(2)))
    sr, hr = images()
    single = loss(sr, hr)
    parent = torch.nn.ModuleDict({"perceptual": loss}).to(torch.float64).train().requires_grad_(True)
    (vgg,) = loss._hidden
    assert {tensor.dtype for tensor in (*vgg.parameters(), *vgg.buffers())} == {torch.float64}
    assert not vgg.training
    assert not any(parameter.requires_grad for parameter in vgg.parameters())
    torch.testing.assert_close(parent["perceptual"](sr.double(), hr.double()), single.double())
    assert {tensor.device.type for tensor in (*vgg.to("meta").parameters(), *vgg.buffers())} == {"meta"}


def test_to_returns_the_loss_itself(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv1_1": 1.0}, weights=str(vgg_file(1)))
    assert loss.to(torch.float64) is loss


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))], ids=["copy", "pickle"]
)
def test_copies_work_alone(vgg_file: WriteFile, clone: Callable[[PerceptualLoss], PerceptualLoss]) -> None:
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, weights=str(vgg_file(2)))
    sr, hr = images()
    other = clone(loss)
    assert torch.equal(other(sr, hr), loss(sr, hr))
    other.double()
    assert loss(sr, hr).dtype == torch.float32, "the copy shares the original's VGG"


def test_under_bf16_autocast_the_distance_is_float32(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv1_2": 1.0}, weights=str(vgg_file(2)))
    sr, hr = images()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(sr.to(torch.bfloat16), hr)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(sr, hr).item(), rel=0.02)


def test_unknown_layers_and_distances_are_refused_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"conv6_1.*conv1_1, .*conv5_4"):
        PerceptualLoss(layers={"conv6_1": 1.0})
    with pytest.raises(ValueError, match="distance='cosine' is unknown; choose one of l1, l2"):
        PerceptualLoss(distance="cosine")
    with pytest.raises(ValueError, match=r"layers=\[\]"):
        PerceptualLoss(layers={})


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_layer_weights_must_be_finite_and_not_negative(weight: float) -> None:
    with pytest.raises(ValueError, match=f"weight {weight} of conv1_1"):
        PerceptualLoss(layers={"conv1_1": weight})


def test_unsuitable_images_are_refused(vgg_file: WriteFile) -> None:
    loss = PerceptualLoss(layers={"conv2_1": 1.0}, weights=str(vgg_file(3)))
    with pytest.raises(ValueError, match="needs RGB"):
        loss(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="too small for VGG19's conv2_1"):
        loss(torch.zeros(1, 3, 1, 8), torch.zeros(1, 3, 1, 8))
    with pytest.raises(
        ValueError, match=r"sr has shape \(1, 3, 8, 8\)"
    ):  # pooled features could be of one shape
        loss(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 9, 9))
