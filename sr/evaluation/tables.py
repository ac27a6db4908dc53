"""An evaluation as text: tables of means and differences, the protocol in words, CSV.

`sr.evaluation.outputs.as_text` prints them, and the tables of `breakdown_table` and `tradeoff` where there are any.
"""

import csv
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sr.evaluation.bootstrap import FEWEST, attainable
from sr.evaluation.result import Evaluation, Mean
from sr.metrics.quantity import LOWER, Quantity
from sr.ops.text_table import aligned

MOST_DIFFERENCES = 10  # rows of one set in the table of differences
WIDTH = 118  # characters of a line of text


def format_table(evaluation: Evaluation) -> str:
    """One row per set and model: the mean of each metric, then its interval."""
    quantities = evaluation.quantities
    rows = [["set", "images", "model", *quantities]]
    for name, result in evaluation.sets.items():
        for index, model in enumerate(evaluation.models):
            cells = [mean_cell(quantities[metric], mean) for metric, mean in result.means[model].items()]
            of_set = ["", ""] if index else [name, str(len(result.images))]
            rows.append([*of_set, model, *cells])
    return "\n".join(aligned(rows, left=(0, 2)))


def format_differences(evaluation: Evaluation) -> str:
    """Every model minus every later one, by set; empty where there is one model."""
    if len(evaluation.models) < 2:
        return ""
    quantities = evaluation.quantities
    rows = [["set", "difference", *quantities]]
    left_out = 0
    for name, result in evaluation.sets.items():
        left_out += max(0, len(result.differences) - MOST_DIFFERENCES)
        for index, pair in enumerate(result.differences[:MOST_DIFFERENCES]):
            cells = [difference_cell(quantities[metric], mean) for metric, mean in pair.means.items()]
            rows.append(["" if index else name, f"{pair.first} - {pair.second}", *cells])
    notes = ["*: the interval does not contain 0."]
    falling = [metric for metric, quantity in quantities.items() if quantity.better == LOWER]
    if falling:
        *others, last = falling
        listed = f"{', '.join(others)} and {last}" if others else last
        notes.append(f"Lower is better for {listed}: a negative difference is an improvement.")
    if left_out:
        notes.append(f"{left_out} more differences are in metrics.json.")
    return "\n".join([*aligned(rows, left=(0, 1)), *_wrapped(" ".join(notes))])


def format_protocol(evaluation: Evaluation) -> str:
    """The protocol and the intervals in words, which belong above every table."""
    return "\n".join(part for line in protocol_lines(evaluation) for part in _wrapped(line))


def protocol_lines(evaluation: Evaluation) -> list[str]:
    """Sentences on the protocol, on the origin of LR, on single metrics, and on the intervals."""
    protocol = evaluation.protocol
    definitions = protocol.definitions
    name = protocol.name + (f", but with {', '.join(protocol.changed)}" if protocol.changed else "")
    luma = f" (luma: {definitions['luma']})" if "luma" in definitions else ""
    border = f"border of {protocol.crop_border} pixels cut" if protocol.crop_border else "no border cut"
    lines = [
        f"protocol {name}: PSNR in dB and SSIM on {' and '.join(protocol.spaces)}{luma}; 8-bit images, {border};"
        " mean over images of each image's value",
        f"LR: {protocol.lr.sentence(scale=protocol.scale)}",
    ]
    lines += [f"{metric}: {definitions[metric]}" for metric in evaluation.quantities if metric in definitions]
    return [*lines, *interval_lines(evaluation)]


def interval_lines(evaluation: Evaluation) -> list[str]:
    """Sentences on the numbers in brackets, and on the sets that are too small for them."""
    lines = [f"[low, high]: {evaluation.protocol.interval}"]
    for name, result in evaluation.sets.items():
        images = result.originals
        if images == 1:
            lines.append(f"{name}: one image, so no interval")
        elif images < FEWEST:
            lines.append(f"{name}: {images} images give no interval of more than {attainable(images):.0%}")
    return lines


def mean_cell(quantity: Quantity, mean: Mean) -> str:
    """`28.43 [25.83, 31.12]`, without brackets where there is no interval."""
    ends = f" [{', '.join(map(quantity.text, mean.interval))}]" if mean.interval else ""
    return quantity.text(mean.value) + ends


def difference_cell(quantity: Quantity, difference: Mean | None) -> str:
    """`+0.31 [+0.12, +0.50]*`, with a star where the interval does not contain 0; `-` where there is no mean."""
    if difference is None:
        return "-"
    if difference.interval is None:
        return quantity.text(difference.value, sign=True)
    ends = ", ".join(quantity.text(end, sign=True) for end in difference.interval)
    return f"{quantity.text(difference.value, sign=True)} [{ends}]{'*' if is_clear(difference) else ' '}"


def is_clear(difference: Mean) -> bool:
    """Whether there is an interval that does not contain 0."""
    interval = difference.interval
    return interval is not None and not interval[0] <= 0 <= interval[1]


def write_csv(evaluation: Evaluation, path: Path) -> None:
    """One value per line: set, image, model, metric, value."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "image", "model", "metric", "value"])
        writer.writerows(_values(evaluation))


def _values(evaluation: Evaluation) -> Iterator[list[Any]]:
    for name, result in evaluation.sets.items():
        for image in result.images:
            for model, values in image.values.items():
                for metric, value in values.items():
                    yield [name, image.name, model, metric, value]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, width=WIDTH, subsequent_indent="  ")
