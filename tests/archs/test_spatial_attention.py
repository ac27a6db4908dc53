"""The forms of pooling and resizing that `torch.compile` sees equal torch's, values and gradients."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.archs.spatial_attention import SMALLEST, EnhancedSpatialAttention, max_pool, resize_bilinear

Function = Callable[[Tensor], Tensor]
CASES: dict[str, tuple[Function, Function]] = {
    "pool": (lambda image: max_pool(image, size=7, step=3), lambda image: F.max_pool2d(image, 7, 3)),
    "resize": (
        lambda image: resize_bilinear(image, height=29, width=17),
        lambda image: F.interpolate(image, (29, 17), mode="bilinear"),
    ),
}


@pytest.mark.parametrize("size", [(7, 7), (8, 12), (22, 15)])
@pytest.mark.parametrize("case", CASES)
def test_the_traced_form_equals_that_of_torch(
    case: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, reference = CASES[case]
    # Few values, so that many are equal: the first of them gets the gradient of a maximum.
    image = (
        torch.randint(9, (2, 3, *size), generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    )
    expected = reference(image)
    monkeypatch.setattr(torch.compiler, "is_dynamo_compiling", lambda: True)
    found = ours(image)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weight = torch.rand(expected.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = [torch.autograd.grad((weight * value).sum(), image)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def test_an_empty_mask_halves_the_features() -> None:
    attention = EnhancedSpatialAttention(num_feat=4, hidden=2)
    nn.init.zeros_(attention.conv4.weight)
    assert attention.conv4.bias is not None
    nn.init.zeros_(attention.conv4.bias)
    features = torch.rand(1, 4, SMALLEST, SMALLEST)
    torch.testing.assert_close(attention(features), features / 2)
    with pytest.raises(RuntimeError):
        attention(features[..., 1:])
