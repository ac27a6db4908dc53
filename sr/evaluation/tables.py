"""An evaluation as text: tables for the terminal, the protocol in words, CSV."""

import csv
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sr.evaluation.bootstrap import FEWEST, attainable
from sr.metrics.quantity import LOWER, Quantity, recorded

Report = Mapping[str, Any]
MOST_DIFFERENCES = 10  # of a set in the table
WIDTH = 118


def format_table(report: Report) -> str:
    """One row per set and model: the mean of each metric, then its interval."""
    metrics, quantities = metric_names(report), recorded(report)
    rows = [["set", "images", "model", *metrics]]
    for name, result in report["sets"].items():
        for index, model in enumerate(report["models"]):
            intervals = result["statistics"]["intervals"][model]
            cells = [
                mean_cell(quantities[metric], result[model][metric], intervals[metric]) for metric in metrics
            ]
            of_set = ["", ""] if index else [name, str(len(result["images"]))]
            rows.append([*of_set, model, *cells])
    return "\n".join(aligned(rows, left=(0, 2)))


def format_differences(report: Report) -> str:
    """Every model minus every other, by set; empty where there is one model."""
    if len(report["models"]) < 2:
        return ""
    metrics, quantities = metric_names(report), recorded(report)
    rows = [["set", "difference", *metrics]]
    left_out = 0
    for name, result in report["sets"].items():
        pairs = result["statistics"]["differences"]
        left_out += max(0, len(pairs) - MOST_DIFFERENCES)
        for index, pair in enumerate(pairs[:MOST_DIFFERENCES]):
            cells = [difference_cell(quantities[metric], pair[metric]) for metric in metrics]
            rows.append(["" if index else name, f"{pair['first']} - {pair['second']}", *cells])
    notes = ["*: the interval leaves out 0"]
    falling = [metric for metric in metrics if quantities[metric].better == LOWER]
    if falling:
        notes.append(f"of {', '.join(falling)} less is better: there a negative difference is a gain")
    if left_out:
        notes.append(f"{left_out} more differences are in metrics.json")
    return "\n".join([*aligned(rows, left=(0, 1)), *_wrapped("; ".join(notes))])


def format_protocol(report: Report) -> str:
    """What the numbers are: to be printed with every table."""
    return "\n".join(part for line in protocol_lines(report) for part in _wrapped(line))


def protocol_lines(report: Report) -> list[str]:
    """The protocol, where LR came from, and what the intervals are, in sentences."""
    protocol = report["protocol"]
    changed = protocol["changed"]
    name = protocol["name"] + (f", but with {', '.join(changed)}" if changed else "")
    luma = f" (luma: {protocol['luma']})" if "luma" in protocol else ""
    border = f"border of {protocol['crop_border']} pixels cut" if protocol["crop_border"] else "no border cut"
    lines = [
        f"protocol {name}: PSNR in dB and SSIM on {' and '.join(protocol['spaces'])}{luma}; 8-bit images, {border};"
        " mean over images of each image's value",
        f"LR: {describe_lr(protocol)}",
    ]
    lines += [f"{metric}: {protocol[metric]}" for metric in metric_names(report) if metric in protocol]
    return [*lines, *interval_lines(report)]


def interval_lines(report: Report) -> list[str]:
    """What stands in brackets, and where it cannot be had or trusted."""
    lines = [f"[low, high]: {report['protocol']['interval']}"]
    for name, result in report["sets"].items():
        images = result["statistics"]["images"]
        if images == 1:
            lines.append(f"{name}: one image, so no interval")
        elif images < FEWEST:
            lines.append(f"{name}: {images} images give no interval of more than {attainable(images):.0%}")
    return lines


def describe_lr(protocol: Mapping[str, Any]) -> str:
    """How LR were made; a warning where it is not what published tables are about."""
    lr, scale = protocol["lr"], protocol["scale"]
    if "squeeze" in protocol:
        side = protocol["squeeze"]
        return (
            f"HR squeezed to {side} x {side} by bicubic interpolation without antialiasing (OpenCV), enlarged"
            f" x{scale} and resized back to the size of HR in the same way; not the LR of published tables"
        )
    if isinstance(lr, str):
        return f"files in {lr}"
    if "seed" not in protocol:
        plain = lr["_target_"] == "sr.degradations.bicubic.BicubicDegradation"
        return (
            f"MATLAB's antialiased bicubic, x{scale}, rounded to 8 bits"
            if plain
            else f"made by {stage_names(lr)}"
        )
    times = "one draw" if protocol["draws"] == 1 else f"{protocol['draws']} draws"
    return (
        f"{times} of each image with seed={protocol['seed']} by {stage_names(lr)}. These are not the bicubic LR of"
        " published tables: compare with the same images, degradation, seed and draws alone."
    )


def stage_names(degradation: Mapping[str, Any]) -> str:
    """`first (blur, noise), last`: the stages of a degradation as it is configured, or else its class."""
    return _stages(degradation.get("stages", {})) or str(degradation["_target_"])


def _stages(stages: Mapping[str, Any]) -> str:
    names = []
    for name, stage in stages.items():
        inner = stage.get("stages") if "_target_" in stage else stage
        names.append(f"{name} ({_stages(inner)})" if inner else name)
    return ", ".join(names)


def metric_names(report: Report) -> list[str]:
    first = next(iter(report["sets"].values()))
    return list(first[report["models"][0]])


def mean_cell(quantity: Quantity, mean: float, interval: Sequence[float] | None) -> str:
    """`28.43 [25.83, 31.12]`, without brackets where there is no interval."""
    return quantity.text(mean) + (f" [{', '.join(map(quantity.text, interval))}]" if interval else "")


def difference_cell(quantity: Quantity, difference: Mapping[str, Any]) -> str:
    """`+0.31 [+0.12, +0.50]*`, the star where the interval leaves out 0."""
    mean, interval = difference["mean"], difference["interval"]
    if mean is None:
        return "-"
    if interval is None:
        return quantity.text(mean, sign=True)
    ends = ", ".join(quantity.text(end, sign=True) for end in interval)
    return f"{quantity.text(mean, sign=True)} [{ends}]{'*' if is_clear(difference) else ' '}"


def is_clear(difference: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference leaves out 0."""
    interval = difference["interval"]
    return interval is not None and not interval[0] <= 0 <= interval[1]


def write_csv(report: Report, path: Path) -> None:
    """One value per line: set, image, model, metric, value."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "image", "model", "metric", "value"])
        writer.writerows(_values(report))


def _values(report: Report) -> Iterator[list[Any]]:
    for name, result in report["sets"].items():
        for image in result["images"]:
            for model in report["models"]:
                for metric, value in image[model].items():
                    yield [name, image["name"], model, metric, value]


def aligned(rows: Sequence[Sequence[str]], *, left: Sequence[int]) -> list[str]:
    """Columns of equal width; those in `left` are words."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, width=WIDTH, subsequent_indent="  ")
