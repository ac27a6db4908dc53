"""The distortion-perception curve of an interpolation between two nets (Blau and Michaeli, CVPR 2018)."""

import csv
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sr.evaluation.tables import aligned, mean_cell, metric_names
from sr.metrics.quantity import Quantity, recorded
from sr.metrics.sharpness import NAME as SHARPNESS

LABELS = {
    "lpips": "LPIPS",
    "dists": "DISTS",
    SHARPNESS: "gradient sharpness, SR / HR (1: as sharp as HR; no perceptual metric)",
}


def tradeoff(report: Mapping[str, Any], alphas: Mapping[str, float]) -> dict[str, Any]:
    """`{"distortion": metric, "perception": metric, "sets": {set: [{"alpha", metric: {"mean", "interval"}}]}}`.

    Distortion is the protocol's PSNR, perception the first of LPIPS, DISTS and gradient sharpness that was computed.

    Args:
        report: of `sr.evaluation.benchmark.benchmark`.
        alphas: name of the model -> alpha.
    """
    metrics = metric_names(report)
    distortion = next(metric for metric in metrics if metric.startswith("psnr"))
    perception = next(metric for metric in LABELS if metric in metrics)
    sets = {
        name: [
            {
                "alpha": alpha,
                **{
                    metric: {
                        "mean": result[model][metric],
                        "interval": result["statistics"]["intervals"][model][metric],
                    }
                    for metric in (distortion, perception)
                },
            }
            for model, alpha in alphas.items()
        ]
        for name, result in report["sets"].items()
    }
    return {"distortion": distortion, "perception": perception, "sets": sets}


def format_tradeoff(report: Mapping[str, Any]) -> str:
    """One row per set and alpha, of a report with its "tradeoff"."""
    curve, quantities = report["tradeoff"], recorded(report)
    metrics = [curve["distortion"], curve["perception"]]
    rows = [["set", "alpha", *metrics]]
    for name, points in curve["sets"].items():
        for index, point in enumerate(points):
            cells = [
                mean_cell(quantities[metric], point[metric]["mean"], point[metric]["interval"])
                for metric in metrics
            ]
            rows.append(["" if index else name, f"{point['alpha']:g}", *cells])
    lines = ["interpolation: alpha = 0 is the first net, 1 the second", *aligned(rows, left=(0,))]
    if curve["perception"] == SHARPNESS:
        lines.append(
            f"{SHARPNESS} is no perceptual metric: noise raises it as detail does (perceptual=[lpips] takes LPIPS"
            " instead)"
        )
    return "\n".join(lines)


def format_export(report: Mapping[str, Any]) -> str:
    """How to keep one net of a sweep: the command for the alpha in the middle."""
    first, second = report["protocol"]["ckpts"].values()
    alphas = [point["alpha"] for point in next(iter(report["tradeoff"]["sets"].values()))]
    return (
        "one alpha as a file of its own:\n"
        f"python -m sr.export --ckpt {shlex.quote(first)} --interpolate-with {shlex.quote(second)}"
        f" --alpha {alphas[len(alphas) // 2]:g} --format safetensors --out FILE"
    )


def write_tradeoff_csv(curve: Mapping[str, Any], path: Path) -> None:
    """One value per line: set, alpha, metric, mean, low, high."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "alpha", "metric", "mean", "low", "high"])
        for name, points in curve["sets"].items():
            for point in points:
                for metric in (curve["distortion"], curve["perception"]):
                    interval = point[metric]["interval"] or ["", ""]
                    writer.writerow([name, point["alpha"], metric, point[metric]["mean"], *interval])


def draw_tradeoff(report: Mapping[str, Any], path: Path) -> None:
    """A line per set from alpha = 0 to 1: perception to the right, PSNR upwards."""
    curve, quantities = report["tradeoff"], recorded(report)
    distortion, perception = curve["distortion"], curve["perception"]
    sets = curve["sets"]
    figure = Figure(figsize=(5.4 * len(sets), 4.4), layout="constrained")
    for axes, (name, points) in zip(
        figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True
    ):
        x = [point[perception]["mean"] for point in points]
        y = [point[distortion]["mean"] for point in points]
        axes.plot(x, y, marker="o", color="#2a6fdb")
        for point, right, up in zip(points, x, y, strict=True):
            axes.annotate(
                f"{point['alpha']:g}", (right, up), xytext=(6, 5), textcoords="offset points", fontsize=9
            )
        axes.set_title(f"{name}: interpolation, labelled with alpha", fontsize=10)
        axes.set_xlabel(_label(LABELS[perception], quantities[perception]), fontsize=9)
        axes.set_ylabel(_label(distortion, quantities[distortion]), fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(alpha=0.3)
        axes.ticklabel_format(useOffset=False)
        axes.margins(0.12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _label(name: str, quantity: Quantity) -> str:
    """`psnr_y in dB (more is better)`."""
    unit = f" in {quantity.unit}" if quantity.unit else ""
    return name + unit + (f" ({quantity.advice})" if quantity.advice else "")
