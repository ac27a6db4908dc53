"""Measure what content losses cost, and how hard they push: `python benchmarks/losses.py`.

Cost is forward and backward of a batch of 4 RGB patches of 128 x 128 pixels in fp32 on one thread. Times are CPU time
of the thread, which other processes disturb less than wall-clock time; the losses alternate in every round, and medians
are shown, with the median of the ratios to L1. The patches are the middles of photographs inside scikit-image, and the
images that are compared with them are their bicubic enlargements by 4. For the same images the value of each loss is
shown, and the length of its gradient, which says how a weight compares with that of L1. All are with the weights of the
files.

Names are options of conf/loss, by default all of them. Losses on the features of an ImageNet net have random weights in
place of the published ones: their time is the same, but their values and lengths say nothing, and are not shown.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import thread_time
from typing import Any

import harness
import numpy as np
import torch
from harness import ROOT, Result, interleave
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from random_features import random_features
from torch import Tensor

from sr.data.sources import sample_photographs
from sr.losses.weighted import WeightedLoss
from sr.ops.resize import imresize
from sr.training.objectives import content_terms

BATCH, SIDE, SCALE = 4, 128, 4
REFERENCE = "l1"

Loss = Callable[[Tensor, Tensor], dict[str, Tensor]]


def patches() -> tuple[Tensor, Tensor]:
    """The middle of some photographs after bicubic enlargement, and as they are: (N, 3, H, W) in [0, 1]."""
    photographs = sample_photographs("train", channels=3)
    hr, sr = [], []
    for index in range(BATCH):
        image = photographs[index].astype(np.float32) / 255
        top, left = ((length - SIDE) // 2 for length in image.shape[:2])
        hr.append(image[top : top + SIDE, left : left + SIDE])
        small = imresize(hr[-1], size=(SIDE // SCALE, SIDE // SCALE))
        sr.append(imresize(small, size=(SIDE, SIDE)))
    enlarged, original = (
        torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous() for images in (sr, hr)
    )
    return enlarged.requires_grad_(), original


def options() -> dict[str, DictConfig]:
    """The terms of every option of conf/loss, by name."""
    names = sorted(file.stem for file in (ROOT / "conf" / "loss").glob("[!_]*.yaml"))
    with initialize_config_dir(str(ROOT / "conf" / "loss"), version_base="1.3"):
        return {name: compose(name) for name in names}


def needs_weights(terms: DictConfig) -> bool:
    return any("weights" in term.loss for term in terms.values())


def built(terms: DictConfig) -> WeightedLoss:
    made: dict[str, Any] = instantiate(OmegaConf.to_container(terms))
    return WeightedLoss(terms=made)


def step(loss: Loss, sr: Tensor, hr: Tensor) -> float:
    """The value of the loss; `sr.grad` is its gradient."""
    sr.grad = None
    terms = content_terms(loss, sr, hr, iteration=0, average=sr.detach)
    total = torch.stack([*terms.values()]).sum()
    total.backward()
    return total.item()


def milliseconds(loss: Loss, sr: Tensor, hr: Tensor) -> float:
    start = thread_time()
    step(loss, sr, hr)
    return 1000 * (thread_time() - start)


def gradient_length(loss: Loss, sr: Tensor, hr: Tensor) -> float:
    step(loss, sr, hr)
    assert sr.grad is not None
    return sr.grad.norm().item()


def compare(names: Sequence[str], *, rounds: int) -> list[Result]:
    terms = options()
    with random_features():
        losses = {name: built(terms[name]) for name in [REFERENCE, *(n for n in names if n != REFERENCE)]}
    with_values = {name: loss for name, loss in losses.items() if not needs_weights(terms[name])}
    sr, hr = patches()

    def measured(
        measure: Callable[[Loss, Tensor, Tensor], float], losses: Mapping[str, Loss], rounds: int
    ) -> dict[str, list[float]]:
        return interleave(
            {name: partial(measure, loss, sr, hr) for name, loss in losses.items()}, rounds=rounds
        )

    measured(milliseconds, losses, 2)  # fills caches
    lengths = {name: length for name, (length,) in measured(gradient_length, with_values, 1).items()}
    shares = {name: [length / lengths[REFERENCE]] for name, length in lengths.items()}
    title = f"{BATCH} x 3 x {SIDE} x {SIDE}"
    return [
        Result(f"forward and backward, {title}", "ms", measured(milliseconds, losses, rounds), REFERENCE),
        Result(f"value for bicubic x{SCALE}", "", measured(step, with_values, 1)),
        Result(f"length of the gradient, {REFERENCE} = 1", "", shares),
    ]


def main() -> None:
    parser = harness.parser(__doc__, rounds=21)
    choices = list(options())
    parser.add_argument("names", nargs="*", help="options of conf/loss; default: all")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.names) - set(choices)):
        parser.error(f"unknown losses: {', '.join(unknown)}; choose from {', '.join(choices)}")
    torch.set_num_threads(1)
    harness.publish(compare(arguments.names or choices, rounds=arguments.rounds), file=arguments.json)


if __name__ == "__main__":
    main()
