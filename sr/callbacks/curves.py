"""The course of a run as a picture."""

from collections.abc import Mapping
from fnmatch import fnmatch
from math import ceil
from pathlib import Path

import lightning as L
from lightning.pytorch.utilities import rank_zero_only
from matplotlib.figure import Figure

from sr.ops.metrics_csv import Column, read_columns

# Title of a panel -> patterns of the columns that it shows.
PANELS = {
    "generator loss": ("train/loss_g", "val/loss_g"),
    "discriminator loss": ("train/loss_d", "val/loss_d"),
    "PSNR (dB)": ("train/psnr_*", "val/psnr_*"),
    "SSIM": ("train/ssim_*", "val/ssim_*"),
    "logits": ("train/logits_*",),
    "discriminator: real above generated": ("health/accuracy_d",),
    "gradient at G's last layer": ("health/gradient_*",),
    "colour drift (levels of 255)": ("health/colour_drift",),
    "distance of G from its average": ("health/ema_distance",),
}
LOGARITHMIC = ("gradient at G's last layer",)
COLUMNS = 5  # the largest number of panels beside each other


class Curves(L.Callback):
    """Draws losses, PSNR, SSIM and the health of a GAN against iterations when training ends, from `metrics.csv`.

    Args:
        metrics: the CSV file that the run's logger writes.
        picture: the PNG file to write.
    """

    def __init__(self, *, metrics: str, picture: str) -> None:
        self.metrics = Path(metrics)
        self.picture = Path(picture)

    @rank_zero_only
    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.metrics.is_file():
            draw_curves(read_columns(self.metrics), self.picture)


def draw_curves(series: Mapping[str, Column], picture: Path) -> None:
    """One panel for each of `PANELS` that has values."""
    drawn = {
        title: [key for key in series if any(fnmatch(key, pattern) for pattern in patterns)]
        for title, patterns in PANELS.items()
    }
    drawn = {title: keys for title, keys in drawn.items() if keys}
    if not drawn:
        return
    columns = min(len(drawn), COLUMNS)
    rows = ceil(len(drawn) / columns)
    figure = Figure(figsize=(4.5 * columns, 3.6 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for axes in panels[len(drawn) :]:
        axes.set_axis_off()
    for axes, (title, keys) in zip(panels, drawn.items(), strict=False):
        for key in keys:
            steps, values = zip(*series[key], strict=True)
            label = key.removeprefix("health/gradient_")
            axes.plot(steps, values, label=label, marker="." if len(steps) < 30 else "")
        if title in LOGARITHMIC:
            axes.set_yscale("log")
        axes.set_title(title)
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.3)
        if len(keys) > 1:
            axes.legend(fontsize=8)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
