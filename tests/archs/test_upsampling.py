"""The index-free forms that `torch.compile` sees equal F.interpolate, values and gradients."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sr.archs.upsampling import double_bilinear, upsample_nearest

CASES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "nearest 2": (partial(upsample_nearest, scale=2), partial(F.interpolate, scale_factor=2, mode="nearest")),
    "nearest 3": (partial(upsample_nearest, scale=3), partial(F.interpolate, scale_factor=3, mode="nearest")),
    "bilinear": (
        double_bilinear,
        partial(F.interpolate, scale_factor=2, mode="bilinear", align_corners=False),
    ),
}


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 6), (1, 1, 1, 1), (1, 2, 5, 1)])
@pytest.mark.parametrize("case", CASES)
def test_equals_interpolate(case: str, shape: tuple[int, ...], traced: bool) -> None:
    ours, reference = CASES[case]
    graphs: list[str] = []

    def keep(module: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Tensor]:
        graphs.append(module.code)
        return module.forward

    generator = torch.Generator().manual_seed(0)
    image = torch.rand(shape, generator=generator, dtype=torch.float64, requires_grad=True)
    torch.compiler.reset()
    result = torch.compile(ours, backend=keep)(image) if traced else ours(image)
    assert ["interpolate" in graph for graph in graphs] == ([False] if traced else [])
    expected = reference(image)
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-12)
    weight = torch.rand(expected.shape, generator=generator, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((weight * result).sum(), image)
    (expected_gradient,) = torch.autograd.grad((weight * expected).sum(), image)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-12, atol=1e-12)
