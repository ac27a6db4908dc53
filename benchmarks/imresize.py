"""Measure how fast MATLAB's bicubic resize is: `python benchmarks/imresize.py`.

The sparse products of sr.ops.resize are compared with a loop over the taps of the kernel, which is also the independent
reference of tests/ops/test_resize.py. Everything runs on one thread. The images are RGB in float32; the loop also runs
in float64, in which MATLAB computes. The variants alternate in every round, and medians of CPU time are shown.
"""

from collections.abc import Callable
from functools import partial
from time import thread_time

import harness
import numpy as np
from harness import Result, interleave
from loop_resize import loop_over_taps

from sr.ops.resize import imresize

# Height and width of the image in pixels, and the factor that both are multiplied by.
SIZES = ((480, 480, 1 / 4), (1080, 1920, 1 / 2), (1080, 1920, 1 / 4), (270, 480, 4), (540, 960, 2))


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
    interleave(variants, rounds=1)  # fills tables and caches
    title = f"imresize {width} x {height} to {size[1]} x {size[0]}"
    return Result(title, "ms", interleave(variants, rounds=rounds), "loop over taps")


def main() -> None:
    options = harness.parser(__doc__, rounds=15)
    options.add_argument(
        "--sizes",
        type=int,
        default=len(SIZES),
        help=f"number of image sizes that are measured, at most {len(SIZES)}",
    )
    arguments = options.parse_args()
    results = [compare(*sizes, rounds=arguments.rounds) for sizes in SIZES[: arguments.sizes]]
    harness.publish(results, file=arguments.json)


if __name__ == "__main__":
    main()
