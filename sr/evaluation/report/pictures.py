"""The pictures of a report: which images, which part of them, and the squares where models differ most."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sr.evaluation.comparison import busiest, densest
from sr.evaluation.gallery import Gallery
from sr.evaluation.result import Evaluation, ImageResult
from sr.evaluation.versions import Versions, label
from sr.metrics.quantity import Quantity

MOST_SIDE = 480  # the largest side of a picture in the page, in HR pixels
DETAIL = 48  # side of the squares where models differ most, in HR pixels


@dataclass(frozen=True)
class Detail:
    """One square of an image in all versions.

    Attributes:
        title: the reason why it is shown, and where it is.
        pictures: label of a version -> data URI.
        psnr: label of a model's version -> PSNR of this part in RGB, in dB.
    """

    title: str
    pictures: Mapping[str, str]
    psnr: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """One image of a set.

    Attributes:
        set_name: the name of the set.
        name: the name of the image.
        values: model -> metric -> value.
        pictures: label of a version -> data URI, lossless; LR at its own size.
        width: the width of HR, or of its part that is shown, in pixels.
        height: the height of HR, or of its part that is shown, in pixels.
        part: the part of the image that is shown, in words; empty for the whole image.
        details: the places where the first model is worst and best against the baseline; empty where there is no
            other model.
    """

    set_name: str
    name: str
    values: Mapping[str, Mapping[str, float]]
    pictures: Mapping[str, str]
    width: int
    height: int
    part: str
    details: Sequence[Detail]


def make_cards(
    evaluation: Evaluation, gallery: Gallery, *, images_per_set: int, crop_border: int
) -> Iterator[Card]:
    """The images of a page, one after the other, so that no more than one is in memory uncompressed."""
    models = evaluation.models
    for set_name, result in evaluation.sets.items():
        for index in choose_images(result.images, evaluation.quantities, models=models, most=images_per_set):
            image = result.images[index]
            versions = gallery.versions(set_name, index)
            height, width = versions.hr.shape[:2]
            shown, part = shrink(versions)
            yield Card(
                set_name=set_name,
                name=image.name,
                values=image.values,
                pictures={version: data_uri(picture) for version, picture in shown.labelled().items()},
                width=shown.hr.shape[1],
                height=shown.hr.shape[0],
                part=f"{part} of {width} x {height} pixels" if part else "",
                details=find_details(versions, models=models, crop_border=crop_border),
            )


def gain(image: ImageResult, quantities: Mapping[str, Quantity], models: Sequence[str]) -> float:
    """The gain of the first model over the baseline in the first metric; for a single model, its value."""
    first, baseline = image.values[models[0]], image.values[models[-1]]
    metric = next(iter(first))
    return quantities[metric].gain(first[metric], over=baseline[metric] if len(models) > 1 else 0.0)


def choose_images(
    images: Sequence[ImageResult],
    quantities: Mapping[str, Quantity],
    *,
    models: Sequence[str],
    most: int,
) -> list[int]:
    """Indices of images, the smallest gain first. Of more than `most` images, one half is the worst, one the best."""
    order = sorted(range(len(images)), key=lambda index: gain(images[index], quantities, models))
    if len(order) <= most:
        return order
    best = most // 2
    return order[: most - best] + order[len(order) - best :]


def shrink(versions: Versions) -> tuple[Versions, str]:
    """The part of an image with the most detail, `MOST_SIDE` HR pixels wide and high at most.

    Returns:
        The same part of every version, and a description of it, which is empty for the whole image.
    """
    height, width = versions.hr.shape[:2]
    scale = height // versions.lr.shape[0]
    if (versions.lr.shape[0] * scale, versions.lr.shape[1] * scale) != (height, width):
        versions, scale = versions.enlarged(), 1  # LR has another shape
    if max(height, width) <= MOST_SIDE:
        return versions, ""
    tall, wide = (min(side, MOST_SIDE) // scale * scale for side in (height, width))
    top, left = (start // scale * scale for start in busiest(versions.hr, size=(tall, wide)))
    shown = versions.part(top=top, left=left, height=tall, width=wide, scale=scale)
    return shown, f"the {wide} x {tall} pixels with the most detail, from {left}, {top} on,"


def find_details(versions: Versions, *, models: Sequence[str], crop_border: int) -> list[Detail]:
    """Where the squared error of the first model exceeds that of the baseline most, and where it is below it most."""
    first, baseline = models[0], models[-1]
    if first == baseline:
        return []
    hr = versions.hr.astype(np.float32)
    height, width = hr.shape[:2]
    size = min(DETAIL, height - 2 * crop_border, width - 2 * crop_border)
    worse = _squared_error(versions.models[first], hr) - _squared_error(versions.models[baseline], hr)
    worse = worse[crop_border : height - crop_border, crop_border : width - crop_border]
    enlarged = versions.enlarged()
    details = []
    for title, excess in ((f"{first} is worst against {baseline}", worse), (f"{first} is best", -worse)):
        top, left = (start + crop_border for start in densest(excess, size=(size, size)))
        crops = enlarged.part(top=top, left=left, height=size, width=size)
        details.append(
            Detail(
                title=f"{title}, at {left}, {top}",
                pictures={version: data_uri(crop) for version, crop in crops.labelled().items()},
                psnr={label(model): _psnr(crops.models[model], crops.hr) for model in models},
            )
        )
    return details


def data_uri(image: np.ndarray) -> str:
    """(H, W, 3) uint8 -> lossless WebP inside a URI."""
    done, buffer = cv2.imencode(
        ".webp", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_WEBP_QUALITY, 101]
    )
    assert done
    return "data:image/webp;base64," + base64.b64encode(buffer.tobytes()).decode()


def _squared_error(image: np.ndarray, hr: np.ndarray) -> np.ndarray:
    return np.asarray(np.square(image.astype(np.float32) - hr).mean(axis=2))


def _psnr(image: np.ndarray, hr: np.ndarray) -> float:
    error = float(_squared_error(image, hr.astype(np.float32)).mean())
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
