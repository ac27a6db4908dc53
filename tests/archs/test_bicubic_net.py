"""Bicubic against a float64 NumPy reference that sums the kernel directly."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch

from sr.archs.bicubic import Bicubic

Array = npt.NDArray[np.float64]


def keys_cubic(x: float) -> float:
    """Keys' kernel with a = -0.5, as in MATLAB's imresize."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def resize_rows(image: Array, scale: int) -> Array:
    """(H, W) -> (H*scale, W): a kernel sum per output row, the border mirrored (edge pixel repeated)."""
    height = len(image)
    resized = np.zeros((height * scale, image.shape[1]))
    for row in range(height * scale):
        centre = (row + 0.5) / scale - 0.5
        for tap in range(math.floor(centre) - 2, math.floor(centre) + 4):
            source = tap
            while not 0 <= source < height:
                source = -1 - source if source < 0 else 2 * height - 1 - source
            resized[row] += keys_cubic(centre - tap) * image[source]
    return resized


def reference(image: Array, scale: int) -> Array:
    """(C, H, W) -> (C, H*scale, W*scale)."""
    return np.stack([resize_rows(resize_rows(channel, scale).T, scale).T for channel in image])


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 5), (3, 2, 3), (1, 7, 5), (5, 6, 9)])
def test_equals_direct_kernel_sums(scale: int, shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).random(shape)
    expected = reference(image, scale)
    single = Bicubic(scale=scale)(torch.from_numpy(image).float()[None])[0]
    double = Bicubic(scale=scale)(torch.from_numpy(image)[None])[0]
    assert single.dtype == torch.float32 and double.dtype == torch.float64
    np.testing.assert_allclose(single.numpy(), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(double.numpy(), expected, rtol=0, atol=1e-12)


def test_batch_is_image_by_image_and_not_clamped() -> None:
    images = (torch.rand(3, 2, 6, 6, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    sr = Bicubic(scale=4)(images)
    for image, single in zip(images, sr, strict=True):
        np.testing.assert_allclose(single.numpy(), reference(image.double().numpy(), 4), rtol=0, atol=1e-5)
    assert sr.min() < -0.01 and sr.max() > 1.01  # a step overshoots


def test_reduced_precision_and_autocast() -> None:
    image = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    net = Bicubic(scale=2)
    half = net(image.bfloat16())
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), net(image.bfloat16().float()), rtol=2**-8, atol=1e-6)
    with torch.autocast("cpu", torch.bfloat16):
        upsampled = net(image)
    assert upsampled.dtype == torch.float32  # the baseline loses nothing to mixed precision
    torch.testing.assert_close(upsampled.double(), net(image.double()), rtol=0, atol=1e-6)


def test_has_nothing_to_train_or_to_save() -> None:
    net = Bicubic()
    assert net.scale == 4 and not list(net.parameters()) and not net.state_dict()


@pytest.mark.parametrize("scale", [0, -2])
def test_error_names_the_scale(scale: int) -> None:
    with pytest.raises(ValueError, match=rf"scale={scale} must be a positive integer"):
        Bicubic(scale=scale)
