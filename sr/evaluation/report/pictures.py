"""The pictures of a report: which images, which part of them, and the places where models differ most."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from sr.evaluation.comparison import densest
from sr.evaluation.gallery import HR, LR, Gallery
from sr.metrics.quantity import Quantity, recorded

MOST_SIDE = 480  # of a picture in the page, in HR pixels
DETAIL = 48  # side of the places where models differ most, in HR pixels

Versions = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Detail:
    """One place in all versions.

    Attributes:
        title: why it is shown.
        pictures: version -> data URI.
        psnr: version -> PSNR of this place in RGB, where there is one.
    """

    title: str
    pictures: Mapping[str, str]
    psnr: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """One image of a set.

    Attributes:
        set_name: the set.
        name: of the image.
        values: model -> metric -> value.
        pictures: version -> data URI, lossless; LR at its own size.
        width: of HR or of the part that is shown, in pixels.
        height: the same.
        part: what part of the image is shown; empty for the whole.
        details: where the first model is worst and best against the baseline; empty where there is no other model.
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
    report: Mapping[str, Any], gallery: Gallery, *, images_per_set: int, crop_border: int
) -> Iterator[Card]:
    """The images of a page, one after the other, so that no more than one is in memory uncompressed."""
    models, quantities = report["models"], recorded(report)
    for set_name, result in report["sets"].items():
        for index in choose_images(result["images"], quantities, models=models, most=images_per_set):
            entry = result["images"][index]
            versions = gallery.versions(set_name, index)
            height, width = versions[HR].shape[:2]
            shown, part = shrink(versions)
            yield Card(
                set_name=set_name,
                name=entry["name"],
                values={model: entry[model] for model in models},
                pictures={version: data_uri(picture) for version, picture in shown.items()},
                width=shown[HR].shape[1],
                height=shown[HR].shape[0],
                part=f"{part} of {width} x {height} pixels" if part else "",
                details=find_details(versions, models=models, crop_border=crop_border),
            )


def gain(entry: Mapping[str, Any], quantities: Mapping[str, Quantity], models: Sequence[str]) -> float:
    """What the first model gains over the last, the baseline, in the first metric; its value where it is alone."""
    metric = next(iter(entry[models[0]]))
    over = float(entry[models[-1]][metric]) if len(models) > 1 else 0.0
    return quantities[metric].gain(float(entry[models[0]][metric]), over=over)


def choose_images(
    entries: Sequence[Mapping[str, Any]],
    quantities: Mapping[str, Quantity],
    *,
    models: Sequence[str],
    most: int,
) -> list[int]:
    """Positions, the worst gain first; of more than `most` images the worst half and the best half."""
    order = sorted(range(len(entries)), key=lambda index: gain(entries[index], quantities, models))
    if len(order) <= most:
        return order
    best = most // 2
    return order[: most - best] + order[len(order) - best :]


def shrink(versions: Versions) -> tuple[dict[str, np.ndarray], str]:
    """The busiest part of HR's `MOST_SIDE` pixels at most, of every version, and what it is: empty for all of it."""
    hr, lr = versions[HR], versions[LR]
    height, width = hr.shape[:2]
    scale = height // lr.shape[0]
    pictures = dict(versions)
    if (lr.shape[0] * scale, lr.shape[1] * scale) != (height, width):  # LR of another shape
        pictures[LR] = cv2.resize(lr, (width, height), interpolation=cv2.INTER_NEAREST)
        scale = 1
    if max(height, width) <= MOST_SIDE:
        return pictures, ""
    tall, wide = (min(side, MOST_SIDE) // scale * scale for side in (height, width))
    top, left = (place // scale * scale for place in _busiest(hr, tall, wide))
    shown = {}
    for version, picture in pictures.items():
        unit = scale if version == LR else 1
        shown[version] = picture[top // unit : (top + tall) // unit, left // unit : (left + wide) // unit]
    return shown, f"the {wide} x {tall} pixels with the most detail, from {left}, {top} on,"


def find_details(versions: Versions, *, models: Sequence[str], crop_border: int) -> list[Detail]:
    """Where the squared error of the first model exceeds that of the baseline most, and where it is below it most."""
    first, baseline = models[0], models[-1]
    hr = versions[HR].astype(np.float32)
    height, width = hr.shape[:2]
    size = min(DETAIL, height - 2 * crop_border, width - 2 * crop_border)
    if first == baseline:
        return []
    worse = _squared_error(versions[first], hr) - _squared_error(versions[baseline], hr)
    worse = worse[crop_border : height - crop_border, crop_border : width - crop_border]
    enlarged = {**versions, LR: cv2.resize(versions[LR], (width, height), interpolation=cv2.INTER_NEAREST)}
    details = []
    for title, excess in ((f"{first} is worst against {baseline}", worse), (f"{first} is best", -worse)):
        top, left = (place + crop_border for place in densest(excess, size=(size, size)))
        crops = {
            version: picture[top : top + size, left : left + size] for version, picture in enlarged.items()
        }
        details.append(
            Detail(
                title=f"{title}, at {left}, {top}",
                pictures={version: data_uri(crop) for version, crop in crops.items()},
                psnr={model: _psnr(crops[model], crops[HR]) for model in models},
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


def _busiest(hr: np.ndarray, tall: int, wide: int) -> tuple[int, int]:
    gray = cv2.cvtColor(hr, cv2.COLOR_RGB2GRAY).astype(np.float32)
    energy = cv2.Laplacian(gray, cv2.CV_32F) ** 2
    return densest(energy, size=(tall, wide))
