"""One picture of an evaluation: a detail of each of the first images, with all versions beside each other."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from sr.evaluation.gallery import Gallery
from sr.evaluation.result import Evaluation, ImageResult
from sr.evaluation.versions import HR, LR, Versions, label
from sr.metrics.quantity import Quantity
from sr.ops.whole_file import replacing

CROP = 160  # side of the details, in HR pixels
ROWS = 4  # images in the picture


def draw_comparison(evaluation: Evaluation, gallery: Gallery, path: Path) -> None:
    """One row per image, one column per version, with the values of the first two metrics below."""
    chosen = [
        (set_name, index)
        for set_name, images in gallery.sets.items()
        for index in range(0, len(images), images.draws)  # one draw of each image
    ][:ROWS]
    columns = len(gallery.models) + 2
    figure = Figure(figsize=(2.6 * columns, 3.05 * len(chosen) + 0.45), layout="constrained")
    figure.suptitle(heading(evaluation), fontsize=10, x=0.01, ha="left")
    grid = figure.subplots(len(chosen), columns, squeeze=False)
    for axes_row, (set_name, index) in zip(grid, chosen, strict=True):
        image = evaluation.sets[set_name].images[index]
        crops = busiest_crops(gallery.versions(set_name, index), size=CROP)
        for axes, (title, crop) in zip(axes_row, titled(crops, image, evaluation.quantities), strict=True):
            axes.imshow(crop, interpolation="nearest")
            axes.set_title(title, fontsize=9)
            axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png", dpi=120)


def heading(evaluation: Evaluation) -> str:
    """What is shown and how it was measured."""
    protocol = evaluation.protocol
    of_set = "" if len(evaluation.sets) > 1 else f" of {next(iter(evaluation.sets))}"
    return (
        f"x{protocol.scale}, details of {CROP} x {CROP} pixels{of_set}\n"
        f"The values are those of whole images by protocol {protocol.name}"
    )


def titled(
    versions: Versions, image: ImageResult, quantities: Mapping[str, Quantity]
) -> Iterator[tuple[str, np.ndarray]]:
    """Title and picture of each version: the name of the image for LR and HR, two values for a model."""
    yield f"\n{LR}\n{image.name}", versions.lr
    for model, sr in versions.models.items():
        yield f"{label(model)}\n{caption(image.values[model], quantities)}", sr
    yield f"\n{HR}\n{image.name}", versions.hr


def caption(values: Mapping[str, float], quantities: Mapping[str, Quantity]) -> str:
    """The first two values with their names and units, each on a line: `PSNR on Y 28.43 dB`."""
    return "\n".join(
        f"{quantities[metric].titled(metric)} {quantities[metric].measured(value)}"
        for metric, value in list(values.items())[:2]
    )


def busiest_crops(versions: Versions, *, size: int) -> Versions:
    """The square with the most detail in HR, measured by the energy of the Laplacian; LR enlarged.

    Args:
        versions: the whole image.
        size: the largest side of the square in HR pixels.
    """
    height, width = versions.hr.shape[:2]
    size = min(size, height, width)
    top, left = busiest(versions.hr, size=(size, size))
    return versions.enlarged().part(top=top, left=left, height=size, width=size)


def busiest(image: np.ndarray, *, size: tuple[int, int]) -> tuple[int, int]:
    """Top and left of the window with the most detail, measured by the energy of the Laplacian.

    Args:
        image: (H, W, 3) uint8 RGB.
        size: height and width of the window.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return densest(cv2.Laplacian(gray, cv2.CV_32F) ** 2, size=size)


def densest(values: np.ndarray, *, size: tuple[int, int]) -> tuple[int, int]:
    """Top and left of the window with the largest sum.

    Args:
        values: (H, W).
        size: height and width of the window.
    """
    height, width = size
    # In double precision: the window slides, and adding and subtracting leaves an error in single precision.
    sums = cv2.boxFilter(values.astype(np.float64), -1, (width, height), anchor=(0, 0), normalize=False)
    sums = sums[: values.shape[0] - height + 1, : values.shape[1] - width + 1]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(top), int(left)
