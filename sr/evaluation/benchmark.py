"""Models x benchmark sets x metrics -> per-image values, means with intervals, and the images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from sr.evaluation.gallery import Gallery
from sr.evaluation.measures import Measure
from sr.evaluation.sets import EvaluationSet
from sr.evaluation.summary import summary
from sr.metrics.precision import full_precision
from sr.metrics.quantity import measure


@torch.no_grad()
def benchmark(
    *,
    nets: Mapping[str, Callable[[], nn.Module]],
    sets: Mapping[str, EvaluationSet],
    measures: Sequence[Measure],
    gallery: Gallery,
    device: torch.device,
) -> dict[str, Any]:
    """Super-resolve every image in fp32 and compare it with its original.

    One net and one image are in memory at a time; what the nets make goes to the gallery's files.

    Args:
        nets: name -> maker of a net in evaluation mode.
        sets: name -> images.
        measures: what is computed of each image.
        gallery: keeps the images.
        device: where the nets run.

    Returns:
        `{"models": [name], "quantities": {metric: Quantity as a dict}, "sets": {set: summary}}`, see
        `sr.evaluation.summary`; its "images" are `{"name", model: {metric: value}}`, with what was "drawn" for LR
        where something was.
    """
    quantities = {name: asdict(quantity) for judge in measures for name, quantity in judge.quantities.items()}
    report: dict[str, Any] = {"models": list(nets), "quantities": quantities, "sets": {}}
    total = len(nets) * sum(len(images) for images in sets.values())
    with tqdm(total=total, unit="image", desc="evaluating", leave=False, disable=None) as progress:
        for set_name, images in sets.items():
            entries: list[dict[str, Any]] = [{"name": images.name(index)} for index in range(len(images))]
            for model, make in nets.items():
                net = make().to(device).eval()
                for index, entry in enumerate(entries):
                    item = images[index]
                    lr, hr = item["lr"][None].to(device), item["hr"][None].to(device)
                    with full_precision(device):
                        sr = images.at_hr_size(net(lr), hr)
                    entry[model] = {
                        name: value.item()
                        for judge in measures
                        for name, value in measure(judge, sr, hr).items()
                    }
                    gallery.save(set_name, model, index, sr[0])
                    progress.update()
            if images.is_random:
                for index, entry in enumerate(entries):
                    entry["drawn"] = images.record(index).content()
            report["sets"][set_name] = summary(entries, models=list(nets), draws=images.draws)
    return report
