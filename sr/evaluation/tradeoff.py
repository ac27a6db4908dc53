"""The distortion-perception curve of an interpolation between two nets (Blau and Michaeli, CVPR 2018)."""

import csv
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sr.evaluation.result import SetResult, Tradeoff, TradeoffPoint
from sr.evaluation.tables import mean_cell
from sr.metrics.quantity import Quantity
from sr.metrics.sharpness import NAME as SHARPNESS
from sr.ops.text_table import aligned
from sr.zoo.shipped import weights_path


def find_tradeoff(sets: Mapping[str, SetResult], alphas: Mapping[str, float], *, perception: str) -> Tradeoff:
    """The curve of an interpolation. Distortion is the protocol's first PSNR.

    Args:
        sets: name -> results.
        alphas: name of a model -> its alpha.
        perception: the name of the metric that stands against distortion.
    """
    first = next(iter(sets.values()))
    metrics = list(next(iter(first.means.values())))
    distortion = next(metric for metric in metrics if metric.startswith("psnr"))
    points = {
        name: [
            TradeoffPoint(alpha, result.means[model][distortion], result.means[model][perception])
            for model, alpha in alphas.items()
        ]
        for name, result in sets.items()
    }
    return Tradeoff(distortion=distortion, perception=perception, sets=points)


def format_tradeoff(curve: Tradeoff, quantities: Mapping[str, Quantity]) -> str:
    """One row per set and alpha."""
    rows = [["set", "alpha", curve.distortion, curve.perception]]
    for name, points in curve.sets.items():
        for index, point in enumerate(points):
            cells = [
                mean_cell(quantities[curve.distortion], point.distortion),
                mean_cell(quantities[curve.perception], point.perception),
            ]
            rows.append(["" if index else name, f"{point.alpha:g}", *cells])
    lines = ["interpolation: alpha = 0 is the first net, 1 the second", *aligned(rows, left=(0,))]
    if curve.perception == SHARPNESS:
        lines.append(
            f"{SHARPNESS} is no perceptual metric: noise raises it as detail does (measure=niqe or measure=lpips"
            " takes another)"
        )
    return "\n".join(lines)


def format_export(curve: Tradeoff, checkpoints: Mapping[str, str], *, trust: Sequence[str] = ()) -> str:
    """The command that writes one net of an interpolation to a file, for the alpha in the middle.

    Args:
        curve: the curve.
        checkpoints: name -> file or net in the package, of the two nets.
        trust: packages whose nets the files name.
    """
    packages = "".join(f" --trust {shlex.quote(package)}" for package in trust)
    first, second = (str(weights_path(file)) for file in checkpoints.values())
    alphas = [point.alpha for point in next(iter(curve.sets.values()))]
    return (
        "one alpha as a file of its own:\n"
        f"sr-export --ckpt {shlex.quote(first)} --interpolate-with {shlex.quote(second)}"
        f"{packages} --alpha {alphas[len(alphas) // 2]:g} --format safetensors --out FILE"
    )


def write_tradeoff_csv(curve: Tradeoff, path: Path) -> None:
    """One value per line: set, alpha, metric, mean, low, high."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "alpha", "metric", "mean", "low", "high"])
        for name, points in curve.sets.items():
            for point in points:
                for metric, mean in (
                    (curve.distortion, point.distortion),
                    (curve.perception, point.perception),
                ):
                    writer.writerow([name, point.alpha, metric, mean.value, *(mean.interval or ("", ""))])


def draw_tradeoff(curve: Tradeoff, quantities: Mapping[str, Quantity], path: Path) -> None:
    """Draw one plot per set with a line from alpha = 0 to alpha = 1: perception is x, distortion is y."""
    distortion, perception = curve.distortion, curve.perception
    figure = Figure(figsize=(5.4 * len(curve.sets), 4.4), layout="constrained")
    for axes, (name, points) in zip(
        figure.subplots(1, len(curve.sets), squeeze=False)[0], curve.sets.items(), strict=True
    ):
        x = [point.perception.value for point in points]
        y = [point.distortion.value for point in points]
        axes.plot(x, y, marker="o", color="#2a6fdb")
        for point, right, up in zip(points, x, y, strict=True):
            axes.annotate(
                f"{point.alpha:g}", (right, up), xytext=(6, 5), textcoords="offset points", fontsize=9
            )
        axes.set_title(f"{name}: interpolation, labelled with alpha", fontsize=10)
        axes.set_xlabel(_label(quantities[perception].titled(perception), quantities[perception]), fontsize=9)
        axes.set_ylabel(_label(distortion, quantities[distortion]), fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(alpha=0.3)
        axes.ticklabel_format(useOffset=False)
        axes.margins(0.12)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _label(name: str, quantity: Quantity) -> str:
    """`psnr_y in dB (higher is better)`."""
    unit = f" in {quantity.unit}" if quantity.unit else ""
    return name + unit + (f" ({quantity.advice})" if quantity.advice else "")
