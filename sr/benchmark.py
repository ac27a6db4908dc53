"""Models x benchmark sets x metrics -> per-image values, means, images and one comparison picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from sr.breakdown import model_names, summary
from sr.data.whole_images import WholeImages
from sr.metrics.precision import full_precision
from sr.metrics.protocol import Protocol
from sr.ops.image import viewable, write_png

CROP = 160  # side of the details in the comparison picture, in HR pixels
ROWS = 4  # images in it


@torch.no_grad()
def benchmark(
    *,
    models: Mapping[str, nn.Module],
    sets: Mapping[str, WholeImages],
    protocol: Protocol,
    out_dir: Path,
    device: torch.device,
) -> dict[str, Any]:
    """Super-resolve every image in fp32 and compare it with its original.

    Writes `<out_dir>/<set>/<name>.png` for the first model and `<out_dir>/comparison.png` for all of them.

    Args:
        models: name -> net in evaluation mode.
        sets: name -> images.
        protocol: what is computed.
        out_dir: made where it is missing.
        device: where the nets run.

    Returns:
        `{"protocol": {...}, "sets": {set: {model: {metric: mean}, "images": [{"name", model: {metric: value}}]}}}`.
        Where LR was drawn, a set has a "breakdown" (see `sr.breakdown`) and an image what was "drawn" for it.
    """
    report: dict[str, Any] = {"protocol": protocol.describe(), "sets": {}}
    rows: list[tuple[str, dict[str, np.ndarray], dict[str, str]]] = []
    nets = {name: net.to(device).eval() for name, net in models.items()}
    for set_name, images in sets.items():
        entries = []
        blind = images.is_random
        for index in range(len(images)):
            item = images[index]
            lr, hr = item["lr"][None].to(device), item["hr"][None].to(device)
            with full_precision(device):
                outputs = {name: net(lr) for name, net in nets.items()}
            values = {
                name: {k: v.item() for k, v in protocol(sr, hr).items()} for name, sr in outputs.items()
            }
            drawn = {"drawn": images.record(index).content()} if blind else {}
            entries.append({"name": item["name"], **values, **drawn})
            first = next(iter(outputs.values()))[0]
            write_png(out_dir / set_name / f"{item['name']}.png", viewable(first))
            if len(rows) < ROWS and index % images.draws == 0:  # not four draws of one image
                rows.append(_comparison_row(item["name"], lr[0], outputs, hr[0], values))
        report["sets"][set_name] = summary(entries, models=list(nets))
    draw_comparison(rows, out_dir / "comparison.png")
    return report


def format_table(report: Mapping[str, Any]) -> str:
    """One row per set, one column per metric, the models beside each other in it."""
    first = next(iter(report["sets"].values()))
    models = model_names(first)
    metrics = list(first[models[0]])
    lines = [["set", "images", *metrics]]
    for name, result in report["sets"].items():
        cells = [" / ".join(_number(metric, result[model][metric]) for model in models) for metric in metrics]
        lines.append([name, str(len(result["images"])), *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    rows = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join(
        [
            *rows,
            f"each cell: {' / '.join(models)}; 8-bit images, border of {report['protocol']['crop_border']} pixels cut,"
            " mean over images; PSNR in dB, y = luma of BT.601, mse of images in [0, 1]",
        ]
    )


def draw_comparison(rows: list[tuple[str, dict[str, np.ndarray], dict[str, str]]], path: Path) -> None:
    """One row per image, one column per version, the values above."""
    columns = len(rows[0][1])
    figure = Figure(figsize=(2.6 * columns, 2.95 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes_row, (name, crops, captions) in zip(grid, rows, strict=True):
        for axes, (version, crop) in zip(axes_row, crops.items(), strict=True):
            axes.imshow(crop, interpolation="nearest")
            axes.set_title(f"{version}\n{captions.get(version, name)}", fontsize=9)
            axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _comparison_row(
    name: str,
    lr: Tensor,
    outputs: Mapping[str, Tensor],
    hr: Tensor,
    values: Mapping[str, Mapping[str, float]],
) -> tuple[str, dict[str, np.ndarray], dict[str, str]]:
    target = viewable(hr)
    height, width = target.shape[:2]
    nearest = cv2.resize(viewable(lr), (width, height), interpolation=cv2.INTER_NEAREST)
    pictures = {
        "LR": nearest,
        **{name: viewable(sr[0]) for name, sr in reversed([*outputs.items()])},
        "HR": target,
    }
    top, left, size = _busiest(target)
    crops = {key: picture[top : top + size, left : left + size] for key, picture in pictures.items()}
    captions = {
        model: " / ".join(_number(k, v) for k, v in list(row.items())[:2]) for model, row in values.items()
    }
    return (
        name,
        {_title(key): crop for key, crop in crops.items()},
        {_title(k): v for k, v in captions.items()},
    )


def _title(key: str) -> str:
    return "ours" if key == "model" else key


def _busiest(image: np.ndarray) -> tuple[int, int, int]:
    """Top, left and side of the square with the most detail (energy of the Laplacian)."""
    size = min(CROP, *image.shape[:2])
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    energy = cv2.boxFilter(
        cv2.Laplacian(gray, cv2.CV_32F) ** 2, -1, (size, size), anchor=(0, 0), normalize=False
    )
    energy = energy[: image.shape[0] - size + 1, : image.shape[1] - size + 1]
    top, left = np.unravel_index(int(energy.argmax()), energy.shape)
    return int(top), int(left), size


def _number(metric: str, value: float) -> str:
    return (
        f"{value:.2f}"
        if metric.startswith("psnr")
        else f"{value:.4f}"
        if metric.startswith("ssim")
        else f"{value:.2e}"
    )
