"""The samples of a preview: making, timing, recording and repeating them."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from tqdm import tqdm

from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError, Record
from sr.ops.crop import cut, draw_corner, pad_to, trim
from sr.ops.normalisation import normalisation
from sr.pictures.listing import list_images
from sr.pictures.reading import read_image


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """The settings that all samples share.

    Attributes:
        seed: the seed; sample number n follows from (seed, n).
        scale: the factor between LR and HR.
        channels: the number of channels of the images.
        hr_patch_size: side of an HR patch.
        margin: HR pixels around it that are degraded with it and cut off afterwards.
        normalise: the stored values that are 0 and 1 (`sr.ops.normalisation`); None for the full range of the type.
    """

    seed: int
    scale: int
    channels: int
    hr_patch_size: int
    margin: int
    normalise: Mapping[str, Any] | None = None

    @property
    def window(self) -> int:
        """The side of the window that is degraded, in pixels."""
        return self.hr_patch_size + 2 * self.margin


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Everything that is needed to make one sample again, and to compare it.

    Attributes:
        file: the path of the image below hr_dir.
        height: the height of the image in the file, in pixels.
        width: its width.
        top: the distance of the HR patch from the upper edge of the image, in pixels.
        left: its distance from the left edge.
        record: the drawn steps.
        hr_sha256: the checksum of the pixels that went in, margin included.
        lr_sha256: the checksum of the pixels that came out: of 8 bits, or floats where there is `normalise`.
    """

    file: str
    height: int
    width: int
    top: int
    left: int
    record: Record
    hr_sha256: str
    lr_sha256: str


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A pair of patches.

    Attributes:
        recorded: the entry that makes this sample again.
        hr: (p, p, C) float32, nominally in [0, 1].
        lr: (p / scale, p / scale, C) float32, on 8-bit levels without `normalise`.
        milliseconds: the time of each step, by its path.
    """

    recorded: Recorded
    hr: np.ndarray
    lr: np.ndarray
    milliseconds: dict[str, float]


def draw_samples(hr_dir: Path, *, degradation: Degradation, count: int, cutting: Cutting) -> list[Sample]:
    """`count` samples from as many different images as there are."""
    paths = list_images(hr_dir)
    order = np.random.default_rng(cutting.seed).permutation(len(paths))
    samples = []
    for number in tqdm(range(count), unit="sample", desc="samples", leave=False, disable=None):
        path = paths[order[number % len(paths)]]
        rng = np.random.default_rng((cutting.seed, number))
        image = read_image(path, channels=cutting.channels)
        corner = draw_corner(pad_to(image, cutting.hr_patch_size), cutting.hr_patch_size, rng)
        file, record = path.relative_to(hr_dir).as_posix(), degradation.draw(rng)
        samples.append(make_sample(image, file=file, corner=corner, record=record, cutting=cutting))
    return samples


def make_sample(
    image: np.ndarray, *, file: str, corner: tuple[int, int], record: Record, cutting: Cutting
) -> Sample:
    """A pair of patches, made as training makes them.

    Raises:
        DegradationError: names the file.
        ValueError: the pixels have no way to the values of a net.
    """
    (height, width), (top, left), margin = image.shape[:2], corner, cutting.margin
    pixels = cut(pad_to(image, cutting.hr_patch_size), top - margin, left - margin, cutting.window)
    by = normalisation(cutting.normalise, key="normalise")
    if not by.takes(pixels.dtype):
        raise ValueError(
            f"{file}: {pixels.dtype} has no natural range: normalise={{low: 0, high: 10000}} or a file of sr-normalise"
            " says what 0 and 1 are"
        )
    window = by.to_net(pixels)
    try:
        lr = trim(
            record.apply(window, as_saved=partial(by.as_saved, dtype=pixels.dtype)), margin // cutting.scale
        )
    except DegradationError as error:
        raise DegradationError(f"{file}: {error}") from error
    recorded = Recorded(
        file=file,
        height=height,
        width=width,
        top=top,
        left=left,
        record=record,
        hr_sha256=sha256(pixels),
        lr_sha256=sha256(lr if cutting.normalise else (lr * 255).round().astype(np.uint8)),
    )
    return Sample(recorded=recorded, hr=trim(window, margin), lr=lr, milliseconds=clock(record, window))


def repeat(entry: Recorded, *, hr_dir: Path, cutting: Cutting) -> Sample:
    """Make the sample that an entry describes.

    Raises:
        ValueError: the image does not exist or has another size.
    """
    path = hr_dir / entry.file
    if not path.is_file():
        raise ValueError(f"{path} does not exist: hr_dir must hold the images that the records were made of")
    image = read_image(path, channels=cutting.channels)
    height, width = image.shape[:2]
    if (height, width) != (entry.height, entry.width):
        raise ValueError(
            f"{path} has {width} x {height} pixels; the records were made of {entry.width} x {entry.height}"
        )
    corner = (entry.top, entry.left)
    return make_sample(image, file=entry.file, corner=corner, record=entry.record, cutting=cutting)


def difference(before: Recorded, now: Recorded) -> str:
    """The difference in words; empty if there is none."""
    if before.hr_sha256 != now.hr_sha256:
        return "the image has changed"
    if before.lr_sha256 != now.lr_sha256:
        return "the same HR and the same parameters give another LR"
    return ""


def sha256(pixels: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def clock(record: Record, window: np.ndarray) -> dict[str, float]:
    """The milliseconds of every step. Each is made again, because a step keeps its kernel."""
    spent, image = {}, window
    for path, step in record.steps.items():
        start = time.perf_counter()
        image = replace(cast(Any, step))(image, hr_size=(window.shape[0], window.shape[1]))
        spent[path] = (time.perf_counter() - start) * 1e3
    return spent


def timing(samples: Sequence[Sample]) -> dict[str, Any]:
    """`{"median_ms", "steps": {path: {"samples", "median_ms", "share"}}}`.

    The median of a step is that of the samples in which it happened; its share is that of the time of all samples.
    """
    sums = [sum(sample.milliseconds.values()) for sample in samples]
    steps = {}
    for path in in_chain_order([sample.recorded.record for sample in samples]):
        spent = [sample.milliseconds[path] for sample in samples if path in sample.milliseconds]
        median, share = float(np.median(spent)), sum(spent) / sum(sums)
        steps[path] = {"samples": len(spent), "median_ms": median, "share": share}
    return {"median_ms": float(np.median(sums)), "steps": steps}


def format_timing(times: Mapping[str, Any], *, cutting: Cutting) -> str:
    """The table of times: one row for each step, and the whole chain below."""
    width = max(len(path) for path in [*times["steps"], "whole chain"])
    rows = [
        f"{path:{width}}  {step['samples']:7}  {step['median_ms']:9.2f}  {step['share']:5.1%}"
        for path, step in times["steps"].items()
    ]
    return "\n".join(
        [
            f"{'step':{width}}  samples  median ms  share",
            *rows,
            f"{'whole chain':{width}}  {'':7}  {times['median_ms']:9.2f}",
            f"windows of {cutting.window} x {cutting.window} pixels on one thread",
        ]
    )


def in_chain_order(records: Sequence[Record]) -> list[str]:
    """All paths in the records by their mean position in the chain, because some records skip or shuffle stages."""
    places: dict[str, list[float]] = {}
    for record in records:
        for place, path in enumerate(record.steps):
            places.setdefault(path, []).append((place + 0.5) / len(record.steps))
    return sorted(places, key=lambda path: sum(places[path]) / len(places[path]))


def write_records(path: Path, samples: Sequence[Sample], *, cutting: Cutting) -> None:
    entries = [{**asdict(sample.recorded), "record": sample.recorded.record.content()} for sample in samples]
    path.write_text(json.dumps({**asdict(cutting), "samples": entries}, indent=2) + "\n")


def read_records(path: Path, *, trust: Sequence[str]) -> tuple[Cutting, list[Recorded]]:
    """Read what `write_records` wrote.

    Args:
        path: the file.
        trust: packages besides `sr.degradations` whose steps the records may name.

    Raises:
        ValueError: the file holds something else, or records of another version.
    """
    try:
        content = json.loads(path.read_text())
        entries = content.pop("samples")
        records = [Record.from_json(json.dumps(entry["record"]), trust=trust) for entry in entries]
        recorded = [
            Recorded(**entry | {"record": record}) for entry, record in zip(entries, records, strict=True)
        ]
        return Cutting(**content), recorded
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"replay={path} is no records.json of this program: {error!r}") from error
