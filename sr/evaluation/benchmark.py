"""Models x sets x metrics -> the values of every image, and the images themselves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from sr.evaluation.gallery import Gallery
from sr.evaluation.result import ImageResult
from sr.evaluation.sets import EvaluationSet
from sr.metrics.precision import full_precision
from sr.metrics.quantity import Metric, measure
from sr.ops.hardware import training_layout


@torch.no_grad()
def benchmark(
    *,
    nets: Mapping[str, Callable[[], nn.Module]],
    sets: Mapping[str, EvaluationSet],
    metric: Metric,
    gallery: Gallery,
    device: torch.device,
) -> dict[str, list[ImageResult]]:
    """Super-resolve every image in fp32 and compare it with its original.

    One net and one image are in memory at a time; the images that the nets make go to the gallery's files.

    Args:
        nets: name -> function that makes a net in evaluation mode.
        sets: name -> images.
        metric: the metrics that are computed of each image.
        gallery: the place that the images are written to.
        device: the device that the nets run on.

    Returns:
        The name of each set -> its images in their order.
    """
    total = len(nets) * sum(len(images) for images in sets.values())
    results = {}
    with tqdm(total=total, unit="image", desc="evaluating", leave=False, disable=None) as progress:
        for set_name, images in sets.items():
            values: list[dict[str, dict[str, float]]] = [{} for _ in range(len(images))]
            for model, make in nets.items():
                layout = training_layout(device)  # as in training: equal last digits
                net = make().to(device=device, memory_format=layout).eval()  # type: ignore[call-overload]
                for index, of_image in enumerate(values):
                    item = images[index]
                    lr, hr = item["lr"][None].to(device), item["hr"][None].to(device)
                    with full_precision(device):
                        sr = images.at_hr_size(net(lr), hr)
                    valid = item["valid"][None].to(device) if "valid" in item else None
                    values_of = measure(metric, sr, hr, valid=valid)
                    of_image[model] = {name: value.item() for name, value in values_of.items()}
                    gallery.save(set_name, model, index, sr[0])
                    progress.update()
            drawn = _drawn(images)
            results[set_name] = [
                ImageResult(name=images.name(index), values=values[index], drawn=drawn[index])
                for index in range(len(images))
            ]
    return results


def _drawn(images: EvaluationSet) -> Sequence[dict[str, Any] | None]:
    if not images.is_random:
        return [None] * len(images)
    return [images.record(index).content() for index in range(len(images))]
