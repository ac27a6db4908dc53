"""The course of a run as a picture."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from sr.callbacks.curve_panels import panels
from sr.callbacks.curve_picture import DPI, Course, draw
from sr.callbacks.sr_module import sr_module
from sr.ops.metrics_csv import Column, read_columns
from sr.ops.whole_file import replacing


class Curves(L.Callback):
    """Draws everything that a run logs against iterations, from `metrics.csv`: after each validation and at the end.

    The picture of a validation is drawn in a thread, so that training goes on meanwhile.

    Args:
        metrics: the CSV file that the run's logger writes.
        picture: the PNG file to write; a viewer never finds half of it.
        title: the heading of the picture, such as the name of the run.
    """

    def __init__(self, *, metrics: str, picture: str, title: str) -> None:
        self.metrics = Path(metrics)
        self.picture = Path(picture)
        self.title = title
        self._thread: ThreadPoolExecutor | None = None
        self._drawing: Future[None] | None = None

    @rank_zero_only
    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.sanity_checking:
            self._finish()
            if self._thread is None:
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="curves")
            self._drawing = self._thread.submit(self._draw, self._course(trainer, pl_module))

    @rank_zero_only
    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._finish()
        self._draw(self._course(trainer, pl_module))

    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _finish(self) -> None:
        """Wait for the picture of the validation before; what went wrong with it is raised here."""
        if self._drawing is not None:
            self._drawing.result()
            self._drawing = None

    def _course(self, trainer: L.Trainer, pl_module: L.LightningModule) -> Course:
        module = sr_module(pl_module)
        return Course(
            title=f"{self.title} after {trainer.global_step:,} iterations",
            quantities=module.metric.quantities,
            gan_begins=max(module.phases()) or None,
        )

    def _draw(self, course: Course) -> None:
        draw_curves(read_columns(self.metrics), self.picture, course=course)


def draw_curves(series: Mapping[str, Column], picture: Path, *, course: Course) -> None:
    """Write the picture; nothing is written while there are no values.

    Args:
        series: column of metrics.csv -> values.
        picture: the PNG file.
        course: the heading of the picture, the metrics of the run, and the begin of the GAN.
    """
    found = panels(series, course.quantities)
    if not found:
        return
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure = draw(found, course)
    with replacing(picture) as file:
        figure.savefig(file, format="png", dpi=DPI)
