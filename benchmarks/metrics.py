"""Measure what metrics cost: `python benchmarks/metrics.py`.

Cost is one pair of RGB images of 512 x 512 pixels on one thread. Times are CPU time of the thread, which other work
disturbs less than wall-clock time; the metrics alternate in every round, and medians are shown, with the median of the
ratios to `psnr_ssim`, which is what every validation computes (PSNR, SSIM and MSE, on luma and on RGB). The images are
photographs inside scikit-image and their bicubic enlargements by 4.

Names are options of conf/measure, by default all but `musiq`, whose weights are a download. LPIPS and DISTS have random
weights of the ImageNet net in place of the published ones: their time is the same, and their values are not shown.
"""

from collections.abc import Callable
from functools import partial
from time import thread_time
from typing import Any

import harness
import torch
from harness import ROOT, Result, interleave
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from random_features import random_features
from torch import Tensor

from sr.data.sources import sample_photographs
from sr.metrics.measure import Measure
from sr.metrics.protocol import Protocol
from sr.ops.image import to_float, to_tensor
from sr.ops.resize import imresize

SIDE, SCALE = 512, 4
REFERENCE = "psnr_ssim"
NOT_AT_HAND = ("musiq",)

Metric = Callable[[Tensor, Tensor], Any]


def images() -> tuple[Tensor, Tensor]:
    """The middle of a photograph after bicubic enlargement, and as it is: (1, 3, H, W) in double precision."""
    photographs = sample_photographs("train", channels=3)
    photograph = next(
        each for each in map(photographs.__getitem__, range(len(photographs))) if min(each.shape[:2]) >= SIDE
    )
    top, left = ((length - SIDE) // 2 for length in photograph.shape[:2])
    hr = to_float(photograph[top : top + SIDE, left : left + SIDE])
    sr = imresize(imresize(hr, size=(SIDE // SCALE, SIDE // SCALE)), size=(SIDE, SIDE))
    rounded = ((to_tensor(image)[None].double().clamp(0, 1) * 255).round() / 255 for image in (sr, hr))
    return tuple(rounded)  # type: ignore[return-value]


def options() -> list[str]:
    names = sorted(file.stem for file in (ROOT / "conf" / "measure").glob("[!_]*.yaml"))
    return [name for name in names if name not in NOT_AT_HAND]


def built(name: str) -> Measure:
    with initialize_config_dir(str(ROOT / "conf" / "measure"), version_base="1.3"):
        node = OmegaConf.merge({"scale": SCALE}, compose(name))
    made: Measure = instantiate(node[name])
    return made


def milliseconds(metric: Metric, sr: Tensor, hr: Tensor) -> float:
    start = thread_time()
    with torch.no_grad():
        metric(sr, hr)
    return 1000 * (thread_time() - start)


def main() -> None:
    parser = harness.parser(__doc__, rounds=11)
    choices = options()
    parser.add_argument("names", nargs="*", help="options of conf/measure; default: all but musiq")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(choices)):
        parser.error(f"unknown metrics: {', '.join(unknown)}; choose from {', '.join(choices)}")
    torch.set_num_threads(1)
    metrics: dict[str, Metric] = {REFERENCE: Protocol(crop_border=0)}
    with random_features():
        metrics |= {name: built(name) for name in arguments.names or choices}
    variants = {name: partial(milliseconds, metric, *images()) for name, metric in metrics.items()}
    interleave(variants, rounds=1)  # fills caches
    times = interleave(variants, rounds=arguments.rounds)
    title = f"an image of {SIDE} x {SIDE}"
    harness.publish([Result(title, "ms", times, reference=REFERENCE)], file=arguments.json)


if __name__ == "__main__":
    main()
