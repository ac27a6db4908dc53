"""What the picture of a run shows, where, and when it is written."""

import csv
from itertools import combinations
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from small_training import BATCH, Pairs, make
from torch.utils.data import DataLoader

from sr.callbacks.curve_axes import plain_numbers, usual_range
from sr.callbacks.curve_panels import panels
from sr.callbacks.curve_picture import COLUMNS, WIDTH, Course, draw
from sr.callbacks.curves import Curves, draw_curves
from sr.loggers.metrics_csv import MetricsCSV
from sr.metrics.protocol import Protocol
from sr.metrics.quantity import Quantity
from sr.ops.metrics_csv import Column, read_columns
from sr.pictures.reading import read_image
from sr.training.schedule import AdversarialRamp

QUANTITIES = {
    **Protocol(crop_border=4, spaces=["y"]).quantities,
    "mae": Quantity(better="lower", digits=".4f"),
}
STEPS = range(100, 2001, 100)


def series() -> dict[str, Column]:
    """A run of two stages, the GAN after iteration 1000."""
    late = [step for step in STEPS if step > 1000]
    return {
        "val/psnr_y": [(step, 30 + step / 1000 - (0.5 if step > 1000 else 0)) for step in STEPS],
        "val/bicubic_psnr_y": [(step, 29.59) for step in STEPS],
        "val/mae": [(step, 0.05 - step / 1e5) for step in STEPS],
        "val/bicubic_mae": [(step, 0.045) for step in STEPS],
        "val/loss_g": [(step, 0.1) for step in STEPS],
        "train/loss_g": [(step, 1 / step) for step in STEPS],
        "train/loss_d": [(step, 1.38) for step in late],
        "train/l1": [(step, 1 / step) for step in STEPS],
        "train/adversarial": [(step, 5.0) for step in late],
        "train/psnr_y": [(step, 25.0) for step in STEPS],
        "train/learning_rate_g_first": [(step, 2e-4) for step in STEPS if step <= 1000],
        "train/learning_rate_g": [(step, 1e-4) for step in late],
        "train/learning_rate_d": [(step, 2e-4) for step in late],
        "train/balance_adversarial": [(step, 30.0) for step in late],
        "train/skipped": [(step, 0.0) for step in STEPS],
        "train/data_wait": [(step, 0.01) for step in STEPS],
        "health/gradient_l1": [(step, 1e-3) for step in late],
        "health/gradient_adversarial": [(step, 1e-6) for step in late],
        "health/share_l1": [(step, 0.999) for step in late],
        "health/share_adversarial": [(step, 0.001) for step in late],
        "mine/temperature": [(step, -3.0) for step in STEPS],
    }


def drawn(found: dict[str, Column], *, gan_begins: int | None = 1000) -> dict[str, Axes]:
    """Title -> plot, of the figure as it is saved."""
    figure = draw_figure(found, gan_begins=gan_begins)
    titles = [panel.title for panel in panels(found, QUANTITIES)]
    return dict(zip(titles, figure.axes, strict=True))


def draw_figure(found: dict[str, Column], *, gan_begins: int | None = 1000) -> Figure:
    course = Course(title="run after 2,000 iterations", quantities=QUANTITIES, gan_begins=gan_begins)
    figure = draw(panels(found, QUANTITIES), course)
    figure.canvas.draw()
    return figure


def labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def line(axes: Axes, start: str) -> Any:
    (found,) = [each for each in axes.lines if str(each.get_label()).startswith(start)]
    return found


def test_panels_are_ordered_as_one_reads_and_every_column_is_in_one() -> None:
    found = panels(series(), QUANTITIES)
    assert [panel.title for panel in found] == [
        "Validation: PSNR on Y (dB)",
        "Validation: mae",
        "Loss of the generator (G)",
        "Terms of G's loss",
        "Loss of the discriminator (D)",
        "Training patches: PSNR on Y (dB)",
        "Gradients at G's last layer",
        "Shares of these gradients",
        "Factors of model.balance",
        "Learning rate",
        "Share of time waiting for data",
        "mine/temperature",
    ]
    shown = [points for panel in found for points in (*panel.lines.values(), panel.baseline) if points]
    assert len(shown) == len(series()) - 1  # no iteration was skipped
    assert list(found[3].lines) == ["l1", "adversarial"]
    assert list(found[6].lines) == list(found[7].lines) == ["l1", "adversarial"]
    assert list(found[9].lines) == ["generator, first stage", "generator", "discriminator"]
    skipped = panels({"train/skipped": [(1, 0.0), (2, 3.0)]}, QUANTITIES)
    assert [panel.title for panel in skipped] == ["Iterations skipped for bad numbers"]


def test_a_metric_that_nothing_knows_has_its_panel_and_its_baseline() -> None:
    own = {
        "val/odd": [(1, 2.0), (2, 3.0)],
        "val/bicubic_odd": [(1, 1.0), (2, 1.0)],
        "val/bicubic_x": [(1, 1.0)],
    }
    found = panels(own, QUANTITIES)
    assert [panel.title for panel in found] == ["val/odd", "val/bicubic_x"]
    assert found[0].baseline == own["val/bicubic_odd"]
    assert found[0].best() is None  # nothing says which way it is better


def test_the_picture_is_1600_pixels_wide(tmp_path: Path) -> None:
    course = Course(title="run", quantities=QUANTITIES)
    draw_curves(series(), tmp_path / "curves.png", course=course)
    assert read_image(tmp_path / "curves.png").shape[1] == WIDTH == 1600
    draw_curves({}, tmp_path / "none.png", course=course)
    assert not (tmp_path / "none.png").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["curves.png"]  # no unfinished file


def test_the_best_point_is_marked_in_the_direction_of_the_metric() -> None:
    plots = drawn(series())
    star = line(plots["Validation: PSNR on Y (dB)"], "best")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (2000, 31.5)
    assert star.get_label() == "best 31.50 at 2,000"
    star = line(plots["Validation: mae"], "best")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (2000, pytest.approx(0.03))


def test_the_gan_begins_in_all_panels() -> None:
    for axes in drawn(series()).values():
        (mark,) = [each for each in axes.lines if each.get_gid() == "gan"]
        assert list(mark.get_xdata()) == [1000, 1000]
    for begins in (None, 5000):
        plots = drawn(series(), gan_begins=begins)
        assert not [each for axes in plots.values() for each in axes.lines if each.get_gid() == "gan"]


def test_bicubic_is_a_dashed_line_at_its_value() -> None:
    axes = drawn(series())["Validation: mae"]
    dashed = line(axes, "bicubic")
    assert dashed.get_label() == "bicubic 0.0450"
    assert dashed.is_dashed()
    assert set(dashed.get_ydata()) == {0.045}
    low, high = axes.get_xlim()
    assert dashed.get_xdata()[0] <= low
    assert dashed.get_xdata()[-1] >= high
    assert not [each for each in axes.lines if each.get_gid() == "gap"]


def test_a_far_baseline_is_behind_a_gap_and_its_label_is_its_value() -> None:
    values = {"val/psnr_y": [(step, 30 + step / 1e5) for step in STEPS]}
    axes = drawn(values | {"val/bicubic_psnr_y": [(step, 25.0) for step in STEPS]})[
        "Validation: PSNR on Y (dB)"
    ]
    low, high = axes.get_ylim()
    assert (30.02 - 30) / (high - low) > 0.7  # the curve has most of the axis
    place = line(axes, "bicubic").get_ydata()[0]
    assert low < place < 30
    ticks = dict(zip(axes.get_yticks(), [text.get_text() for text in axes.get_yticklabels()], strict=True))
    assert ticks.pop(place) == "25.00"
    assert all(float(text) == pytest.approx(tick, abs=1e-6) and tick > place for tick, text in ticks.items())
    assert len([each for each in axes.lines if each.get_gid() == "gap"]) == 2


def test_values_far_from_the_others_do_not_press_the_curve_and_are_told() -> None:
    values = [(step, 12.0 if step == 100 else 30 + step / 1e4) for step in STEPS]
    axes = drawn({"val/psnr_y": values})["Validation: PSNR on Y (dB)"]
    assert axes.get_ylim()[0] > 29.9
    outside = line(axes, "1 beyond")
    assert outside.get_label() == "1 beyond, to 12.00"
    assert list(outside.get_xdata()) == [100]
    assert outside.get_ydata()[0] == axes.get_ylim()[0]
    assert usual_range(np.arange(20.0)) == (0, 19)


def test_loss_terms_are_logarithmic_and_honest_around_zero() -> None:
    axes = drawn(series())["Terms of G's loss"]
    assert axes.get_yscale() == "log"
    negative = series() | {"train/adversarial": [(step, -0.5) for step in STEPS], "train/style": [(100, 0.0)]}
    found = draw_figure(negative)
    axes = found.axes[3]
    assert axes.get_yscale() == "symlog"
    low, high = axes.get_ylim()
    assert low < -0.5
    assert high > 0.01
    assert "Terms of G's loss, linear below 0.0001" in [text.get_text() for text in axes.texts]
    zeros = drawn({"train/l1": [(1, 0.0), (2, 0.0)]})["Terms of G's loss"]
    assert zeros.get_yscale() == "linear"


def test_what_is_not_finite_is_left_out() -> None:
    plots = drawn(
        {"val/psnr_y": [(1, float("nan")), (2, 30.0), (3, float("inf"))], "train/loss_g": [(1, np.nan)]}
    )
    low, high = plots["Validation: PSNR on Y (dB)"].get_ylim()
    assert low < 30 < high < 32
    assert line(plots["Validation: PSNR on Y (dB)"], "best").get_xdata()[0] == 2


def test_nothing_lies_over_anything_else() -> None:
    many = {f"train/a_term_with_a_long_name_{number}": [(step, 0.1) for step in STEPS] for number in range(6)}
    unusual = {"val/psnr_y": [(100, 12.0), *series()["val/psnr_y"][1:]]}
    figure = draw_figure(series() | many | unusual)
    boxes = []
    for axes in figure.axes:
        title = next(text for text in axes.texts if text.get_weight() == "bold").get_window_extent()
        boxes += [axes.get_window_extent(), title]
        if axes.get_legend():
            boxes.append(axes.get_legend().get_window_extent())
        assert title.x1 < WIDTH
    boxes += [text.get_window_extent() for text in figure.texts]
    for one, other in combinations(boxes, 2):
        width = min(one.x1, other.x1) - max(one.x0, other.x0)
        height = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(width, height) < 6, (one, other)  # the empty border of a legend may touch
    assert max(axes.get_position().x1 for axes in figure.axes) < 1
    assert len({round(axes.get_position().x0, 4) for axes in figure.axes}) == COLUMNS


def test_many_points_are_drawn_as_means_with_the_points_behind_them() -> None:
    noisy = [(step, float(step % 2)) for step in range(1, 3001)]
    axes = drawn({"train/loss_g": noisy})["Loss of the generator (G)"]
    points, means = axes.lines[:2]
    assert len(points.get_xdata()) == 3000
    assert points.get_alpha() < 0.5
    assert set(means.get_ydata()) == {0.5}


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.25, 0.5, 0.75], ["0.25", "0.50", "0.75"]),
        ([29.00001, 29.00002], ["29.00001", "29.00002"]),
        ([0.0, 2000.0, 4000.0], ["0", "2,000", "4,000"]),
        ([0.0, 1e-5, 2e-5], ["0", "1e-05", "2e-05"]),
        ([0.0, 5e8, 1e9], ["0", "5e+08", "1e+09"]),
        ([-0.1, 0.0], ["-0.1", "0.0"]),
    ],
)
def test_numbers_of_an_axis_have_no_offset(values: list[float], texts: list[str]) -> None:
    assert plain_numbers(values) == texts


class _Seen(L.Callback):
    """Whether the picture was there before the last iteration."""

    def __init__(self, picture: Path) -> None:
        self.picture = picture
        self.while_training = False

    def on_train_batch_end(self, trainer: L.Trainer, *rest: Any) -> None:
        self.while_training |= self.picture.exists() and trainer.global_step < 4


def test_the_picture_is_there_while_the_run_lives(tmp_path: Path) -> None:
    picture, log = tmp_path / "curves.png", tmp_path / "metrics.csv"
    curves, seen = Curves(metrics=str(log), picture=str(picture), title="run"), _Seen(picture)
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=4,
        log_every_n_steps=1,
        val_check_interval=1,
        logger=MetricsCSV(path=str(log)),
        callbacks=[curves, seen, _Wait(curves)],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    module = make(ramp=AdversarialRamp(generator_only=2))
    trainer.fit(module, DataLoader(Pairs(4 * BATCH), BATCH), DataLoader(Pairs(1), 1))
    assert seen.while_training
    found = read_columns(log)
    assert len(found["val/psnr_y"]) == 4
    assert {"train/learning_rate_g", "train/learning_rate_d"} <= found.keys()
    count = len(panels(found, module.metric.quantities))
    height = read_image(picture).shape[0]
    expected = draw(
        panels(found, module.metric.quantities), Course(title="run", quantities=module.metric.quantities)
    )
    assert height == expected.get_size_inches()[1] * 100
    assert count > 10


class _Wait(L.Callback):
    """Waits for the picture of each validation, which a longer run would have time for."""

    def __init__(self, curves: Curves) -> None:
        self.curves = curves

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self.curves._drawing is not None:
            self.curves._drawing.result()


def test_what_goes_wrong_with_a_picture_is_raised(tmp_path: Path) -> None:
    log = tmp_path / "metrics.csv"
    with log.open("w", newline="") as file:
        csv.writer(file).writerows([["step", "val/psnr_y"], [0, 30.0]])
    (tmp_path / "curves.png").mkdir()
    module = make()
    trainer: Any = type("Trainer", (), {"sanity_checking": False, "global_step": 1})()
    curves = Curves(metrics=str(log), picture=str(tmp_path / "curves.png"), title="run")
    curves.on_validation_end(trainer, module)
    with pytest.raises(OSError, match=r"curves\.png"):
        curves.on_validation_end(trainer, module)
    curves.teardown(trainer, module, "fit")
