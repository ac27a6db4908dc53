"""How fast MATLAB's bicubic resize is: `python benchmarks/imresize.py`.

The sparse products of sr.ops.resize against a loop over the taps of the kernel, which is the independent reference of
tests/ops/test_resize.py too. One thread, RGB of float32 (and the loop in float64, as MATLAB computes), interleaved
rounds, medians of CPU time.
"""

from collections.abc import Callable
from functools import partial
from time import thread_time

import harness
import numpy as np
from harness import Result, interleave

from sr.ops.resize import imresize

# Height, width, factor.
SIZES = ((480, 480, 1 / 4), (1080, 1920, 1 / 2), (1080, 1920, 1 / 4), (270, 480, 4), (540, 960, 2))


def loop_over_taps(image: np.ndarray, *, size: tuple[int, int]) -> np.ndarray:
    """(H, W, C) float -> (*size, C), one axis after the other, after the description of MATLAB's `imresize`."""
    for axis in (0, 1):
        image = resize_axis(image, axis=axis, length=size[axis])
    return image


def resize_axis(image: np.ndarray, *, axis: int, length: int) -> np.ndarray:
    scale = length / image.shape[axis]
    width = 4.0 if scale >= 1 else 4.0 / scale
    places = np.arange(1, length + 1)
    centres = places / scale + 0.5 * (1 - 1 / scale)
    leftmost = np.floor(centres - width / 2)
    mirror = np.concatenate((np.arange(image.shape[axis]), np.arange(image.shape[axis])[::-1]))
    total = np.zeros(length)
    shape = [1] * image.ndim
    shape[axis] = length
    result = np.zeros((*image.shape[:axis], length, *image.shape[axis + 1 :]), image.dtype)
    for tap in range(int(np.ceil(width)) + 2):
        position = leftmost + tap
        weight = keys(min(scale, 1.0) * (centres - position))
        pixels = np.take(image, mirror[(position.astype(int) - 1) % len(mirror)], axis=axis)
        result += pixels * weight.reshape(shape).astype(image.dtype)
        total += weight
    return result / total.reshape(shape).astype(image.dtype)


def keys(x: np.ndarray) -> np.ndarray:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.select([x <= 1, x <= 2], [near, far], 0.0)


def milliseconds(function: Callable[..., np.ndarray], image: np.ndarray, size: tuple[int, int]) -> float:
    start = thread_time()
    function(image, size=size)
    return 1000 * (thread_time() - start)


def compare(height: int, width: int, factor: float, *, rounds: int) -> Result:
    image = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
    size = (round(height * factor), round(width * factor))
    variants = {
        "loop over taps": partial(milliseconds, loop_over_taps, image, size),
        "the same in float64": partial(milliseconds, loop_over_taps, image.astype(np.float64), size),
        "sparse products": partial(milliseconds, imresize, image, size),
    }
    interleave(variants, rounds=1)  # tables, caches
    title = f"imresize {width} x {height} to {size[1]} x {size[0]}"
    return Result(title, "ms", interleave(variants, rounds=rounds), "loop over taps")


def main() -> None:
    options = harness.parser(__doc__, rounds=15)
    options.add_argument("--sizes", type=int, default=len(SIZES), help="how many of the sizes")
    arguments = options.parse_args()
    results = [compare(*sizes, rounds=arguments.rounds) for sizes in SIZES[: arguments.sizes]]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
