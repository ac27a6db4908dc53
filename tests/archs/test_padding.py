"""Padding by reflection at any size."""

import numpy as np
import pytest
import torch
from tiny_nets import noise

from sr.archs.padding import pad_to_multiple


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3), (5, 8), (9, 16), (7, 31)])
@pytest.mark.parametrize("multiple", [1, 4, 8, 16])
def test_equals_numpy_s_reflection(size: tuple[int, int], multiple: int) -> None:
    image = noise(2, 3, *size)
    rest = [-side % multiple for side in size]
    expected = np.pad(image.numpy(), ((0, 0), (0, 0), (0, rest[0]), (0, rest[1])), mode="reflect")
    torch.testing.assert_close(pad_to_multiple(image, multiple), torch.from_numpy(expected), rtol=0, atol=0)


def test_a_trace_keeps_the_size_free() -> None:
    traced = torch.jit.trace(lambda image: pad_to_multiple(image, 8), noise(1, 1, 16, 24), check_trace=False)
    for size in ((1, 1), (3, 20), (30, 7)):
        image = noise(1, 1, *size)
        assert torch.equal(traced(image), pad_to_multiple(image, 8))
