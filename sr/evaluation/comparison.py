"""One picture of an evaluation: a detail of the first images, all versions beside each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure

from sr.evaluation.gallery import LR, Gallery
from sr.metrics.quantity import recorded

CROP = 160  # side of the details, in HR pixels
ROWS = 4  # images in it


def draw_comparison(report: Mapping[str, Any], gallery: Gallery, path: Path) -> None:
    """One row per image, one column per version, the first two metrics above."""
    chosen = [
        (set_name, index)
        for set_name, images in gallery.sets.items()
        for index in range(0, len(images), images.draws)  # not four draws of one image
    ][:ROWS]
    quantities = recorded(report)
    columns = len(gallery.models) + 2
    figure = Figure(figsize=(2.6 * columns, 2.95 * len(chosen)), layout="constrained")
    grid = figure.subplots(len(chosen), columns, squeeze=False)
    for axes_row, (set_name, index) in zip(grid, chosen, strict=True):
        entry = report["sets"][set_name]["images"][index]
        crops = busiest_crops(gallery.versions(set_name, index), size=CROP)
        for axes, (version, crop) in zip(axes_row, crops.items(), strict=True):
            values = list(entry.get(version, {}).items())[:2]
            caption = " / ".join(quantities[metric].text(value) for metric, value in values) or entry["name"]
            axes.imshow(crop, interpolation="nearest")
            axes.set_title(f"{'ours' if version == 'model' else version}\n{caption}", fontsize=9)
            axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def busiest_crops(versions: Mapping[str, np.ndarray], *, size: int) -> dict[str, np.ndarray]:
    """The square of `size` or less with the most detail in HR (energy of the Laplacian), of each version."""
    hr = versions["HR"]
    height, width = hr.shape[:2]
    size = min(size, height, width)
    gray = cv2.cvtColor(hr, cv2.COLOR_RGB2GRAY).astype(np.float32)
    top, left = densest(cv2.Laplacian(gray, cv2.CV_32F) ** 2, size=(size, size))
    crops = {}
    for version, picture in versions.items():
        if version == LR:
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST)
        crops[version] = picture[top : top + size, left : left + size]
    return crops


def densest(values: np.ndarray, *, size: tuple[int, int]) -> tuple[int, int]:
    """Top and left of the window of `size` (height, width), within (H, W) `values`, that has the largest sum."""
    height, width = size
    # In double precision: the window slides, and what it adds and subtracts leaves a rest in single precision.
    sums = cv2.boxFilter(values.astype(np.float64), -1, (width, height), anchor=(0, 0), normalize=False)
    sums = sums[: values.shape[0] - height + 1, : values.shape[1] - width + 1]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(top), int(left)
