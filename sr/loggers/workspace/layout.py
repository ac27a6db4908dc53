"""The sections and panels of a run in Weights & Biases, in the order in which one reads them."""

from collections.abc import Sequence
from typing import Any

AXIS = "iteration"
Panel = tuple[str, Sequence[str]]  # a title, and the keys (or one regular expression) of its lines

TRAIN: tuple[Panel, ...] = (
    ("loss of G", ["train/loss_g"]),
    ("loss of D", ["train/loss_d"]),
    ("learning rates", ["train/learning_rate_g", "train/learning_rate_d"]),
    ("share of time spent waiting for data", ["train/data_wait"]),
)
HEALTH: tuple[Panel, ...] = (
    ("has D won? 0.5: guessing, 1: D has won", ["health/accuracy_d"]),
    ("logits of D", ["train/logits_real", "train/logits_fake"]),
    ("are colours drifting? levels of 255", ["health/colour_drift"]),
    ("distance of G from its average", ["health/ema_distance"]),
)
# Each loss is a line, whatever the run calls it: a regular expression of the keys, and whether values are logarithmic.
LOSSES: tuple[tuple[str, str, bool], ...] = (
    ("gradients at G's last layer", "health/gradient_.*", True),
    ("which loss pulls hardest? shares of these gradients", "health/share_.*", False),
)
SYSTEM: tuple[Panel, ...] = (
    ("GPU in use (%)", ["system.gpu.0.gpu"]),
    ("GPU memory (%)", ["system.gpu.0.memoryAllocated"]),
    ("CPU in use (%)", ["system.cpu"]),
)


def validation_panels(monitor: str) -> tuple[Panel, ...]:
    """The panels of validation; each metric is drawn with what bicubic reaches.

    Args:
        monitor: the metric that decides which checkpoint is the best.
    """
    metrics = dict.fromkeys([monitor, monitor.replace("psnr", "ssim")])
    return (
        *((name, [f"val/{name}", f"val/bicubic_{name}"]) for name in metrics),
        ("losses in the middle of the images", ["val/loss_g", "val/loss_d"]),
    )


def workspace(*, entity: str, project: str, monitor: str, name: str) -> Any:
    """A `wandb_workspaces.workspaces.Workspace` of four sections: train, val, health, system. Nothing is sent.

    Args:
        entity: the user or team of the project.
        project: the project.
        monitor: the metric that decides which checkpoint is the best.
        name: the name of the saved view.

    Raises:
        ModuleNotFoundError: the library wandb-workspaces is not installed.
    """
    import wandb_workspaces.workspaces as views
    from wandb_workspaces.reports.v2 import interface as panels

    def lines(shown: Sequence[Panel], **options: Any) -> list[Any]:
        return [panels.LinePlot(title=title, x=AXIS, y=list(keys), **options) for title, keys in shown]

    pictures = [
        panels.MediaBrowser(title="worst and best", media_keys=["samples/worst", "samples/best"]),
        panels.WeavePanelSummaryTable(table_name="val/images"),
    ]
    losses = [
        panels.LinePlot(title=title, x=AXIS, metric_regex=keys, log_y=logarithmic)
        for title, keys, logarithmic in LOSSES
    ]
    sections = {
        "train": lines(TRAIN),
        "val": [*lines(validation_panels(monitor)), *pictures],
        "health": [*lines(HEALTH), *losses],
        "system": [panels.LinePlot(title=title, y=list(keys)) for title, keys in SYSTEM],
    }
    return views.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[
            views.Section(name=title, panels=shown, is_open=title != "system")
            for title, shown in sections.items()
        ],
    )
