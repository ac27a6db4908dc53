"""The distance between a discriminator's features of real and of generated images."""

from typing import Any

import pytest
import torch

from sr.losses.feature_matching import FeatureMatchingLoss


def features(seed: int, **kind: Any) -> dict[str, list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"a": [(2, 3, 4, 4)], "b": [(2, 5, 2, 2), (2, 5, 1, 1)]}
    return {
        name: [torch.randn(shape, generator=generator, **kind) for shape in many]
        for name, many in shapes.items()
    }


@pytest.mark.parametrize(("layers", "weights"), [(None, (1, 1)), ({"b": 3.0, "a": 0.5}, (0.5, 3))])
def test_it_is_the_sum_over_layers_of_the_mean_over_calls(layers: Any, weights: tuple[float, float]) -> None:
    real, fake = features(1), features(2)
    apart = {
        name: [(r - f).abs().sum().item() / r.numel() for r, f in zip(real[name], fake[name], strict=True)]
        for name in real
    }
    expected = weights[0] * apart["a"][0] + weights[1] * (apart["b"][0] + apart["b"][1]) / 2
    found = FeatureMatchingLoss(weight=10.0, layers=layers)(real=real, fake=fake)
    assert found.item() == pytest.approx(10 * expected, rel=1e-5)


def test_features_of_real_images_are_constant() -> None:
    real, fake = features(1, dtype=torch.float64), features(2, dtype=torch.float64)
    loss = FeatureMatchingLoss(weight=2.0)
    inputs = [each.requires_grad_() for each in fake["b"]]
    assert torch.autograd.gradcheck(lambda *found: loss(real=real, fake=fake | {"b": list(found)}), inputs)
    wanted = real["a"][0].requires_grad_()
    assert torch.autograd.grad(loss(real=real, fake=fake), wanted, allow_unused=True) == (None,)


def test_features_of_bf16_are_compared_in_fp32() -> None:
    real = {"a": [torch.full((1, 1, 100, 100), 1.0, dtype=torch.bfloat16)]}
    fake = {"a": [torch.full((1, 1, 100, 100), 1.0078125, dtype=torch.bfloat16)]}
    found = FeatureMatchingLoss(weight=1.0)(real=real, fake=fake)
    assert found.dtype == torch.float32
    assert found.item() == 0.0078125


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weight": -1.0}, r"model\.feature_matching\.weight=-1\.0 must be finite and at least 0"),
        ({"layers": {"conv1": float("nan")}}, r"feature_matching\.layers\.conv1=nan must be finite"),
        ({"layers": {}}, r"model\.feature_matching\.layers=\{\} names no layer"),
    ],
)
def test_wrong_numbers_are_refused_by_key(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureMatchingLoss(**wrong)
