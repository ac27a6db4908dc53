"""Where the picture of a sweep puts its points, and which labels it has."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sr.pictures.reading import read_image
from sr.sweep.importance import Importance
from sr.sweep.job import Job
from sr.sweep.parameters import varied
from sr.sweep.pareto import Objective
from sr.sweep.picture import draw, sweep_figure
from sr.sweep.report import results

PSNR, ADVERSARIAL = Objective("val/psnr_y"), Objective("train/adversarial", "minimize")


def jobs(folder: Path, overrides: Sequence[Sequence[str]], *, values: Sequence[float] = ()) -> list[Job]:
    made = []
    for number, own in enumerate(overrides):
        (folder / str(number)).mkdir()
        value = values[number] if values else 29 + number / 100
        content = f"step,val/psnr_y,train/adversarial\n9,{value},{value - 28}\n"
        (folder / str(number) / "metrics.csv").write_text(content)
        made.append(Job(number, ("seed=0", *own), "done", 1.0, folder / str(number)))
    return made


def figure(
    made: Sequence[Job], objectives: Sequence[Objective] = (PSNR,), *, importance: Importance | None = None
) -> Figure:
    found = sweep_figure(results(made, objectives, importance=importance or {}))
    found.set_dpi(110)
    found.canvas.draw()
    found.draw_without_rendering()
    return found


def points(axes: Axes) -> list[tuple[float, float]]:
    return sorted(tuple(each.get_xydata()[0]) for each in axes.lines if len(each.get_xydata()) == 1)


def x_labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_xticklabels() if text.get_text()]


def test_the_varied_parameter_is_on_the_axis_logarithmic_over_decades(tmp_path: Path) -> None:
    found = figure(jobs(tmp_path, [[f"optimizer_g.lr={lr}"] for lr in ("1e-4", "1e-3", "1e-2")]))
    (axes,) = found.axes
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "optimizer_g.lr"
    assert points(axes) == [(1e-4, 29.0), (1e-3, 29.01), (1e-2, 29.02)]
    assert {"0.0001", "0.001", "0.01"} <= set(x_labels(axes))


def test_near_numbers_are_linear_and_few_of_them_are_labelled_each(tmp_path: Path) -> None:
    (axes,) = figure(jobs(tmp_path, [[f"data.batch_size={size}"] for size in (4, 8, 16)])).axes
    assert axes.get_xscale() == "linear"
    assert x_labels(axes) == ["4", "8", "16"]


def test_categories_are_evenly_apart_and_their_labels_do_not_overlap(tmp_path: Path) -> None:
    names = [f"a_long_name_of_an_objective_{number}" for number in range(7)]
    (axes,) = figure(jobs(tmp_path, [[f"gan_loss={name}"] for name in names])).axes
    assert [x for x, _ in points(axes)] == list(range(7))
    assert x_labels(axes) == [f"{name[:21]}…" for name in names]
    # Slanted by 30 degrees, so two neighbours are as far apart as the sine says.
    places = [text.get_window_extent() for text in axes.get_xticklabels()]
    step = np.diff(axes.transData.transform([(x, 29) for x in range(7)])[:, 0]).min()
    height = axes.get_xticklabels()[0].get_size() * 110 / 72
    assert step * np.sin(np.radians(30)) > height
    assert min(box.x0 for box in places) >= 0


def test_short_labels_are_upright_and_apart(tmp_path: Path) -> None:
    (axes,) = figure(
        jobs(tmp_path, [[f"gan_loss={name}"] for name in ("hinge", "vanilla", "relativistic")])
    ).axes
    boxes = [text.get_window_extent() for text in axes.get_xticklabels()]
    assert {text.get_rotation() for text in axes.get_xticklabels()} == {0}
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_no_axis_has_an_offset(tmp_path: Path) -> None:
    near = [29 + number * 1e-5 for number in range(4)]
    found = figure(jobs(tmp_path, [[f"seed={n}"] for n in range(4)], values=near), (PSNR, ADVERSARIAL))
    for axes in found.axes:
        assert axes.yaxis.get_offset_text().get_text() == ""
        assert axes.xaxis.get_offset_text().get_text() == ""
    texts = [text.get_text() for text in found.axes[1].get_yticklabels()]
    assert [float(text) for text in texts] == pytest.approx(list(found.axes[1].get_yticks()), abs=1e-9)


def test_two_objectives_have_a_front_and_labels_that_are_apart(tmp_path: Path) -> None:
    values = [30 + number / 100 for number in range(30)]  # every job is beaten by none
    front, *_ = figure(
        jobs(tmp_path, [[f"x={n}"] for n in range(30)], values=values), (PSNR, ADVERSARIAL)
    ).axes
    assert front.get_xlabel() == "val/psnr_y (higher is better)"
    assert front.get_ylabel() == "train/adversarial (lower is better)"
    boxes = [text.get_window_extent() for text in front.texts]
    assert 3 < len(boxes) < 30
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_several_parameters_get_a_plot_each_and_parallel_coordinates(tmp_path: Path) -> None:
    made = jobs(tmp_path, [[f"a.lr={lr}", f"b={b}"] for lr in ("1e-4", "1e-3", "1e-2") for b in ("x", "y")])
    *plots, parallel = figure(made).axes
    assert [axes.get_xlabel() for axes in plots] == ["a.lr", "b"]
    assert x_labels(parallel) == ["a.lr", "b", "val/psnr_y\n(higher is better)"]
    lines = [each for each in parallel.lines if len(each.get_xydata()) == 3]
    assert len(lines) == 6
    best = next(each for each in lines if each.get_alpha() == 1)
    assert list(best.get_ydata()) == [1, 1, 1]
    heights = sorted({round(float(each.get_ydata()[0]), 9) for each in lines})
    assert heights == [0, 0.5, 1]  # evenly, for the axis is logarithmic
    assert {"x", "y", "0.0001", "0.01", "29", "29.05"} <= {text.get_text() for text in parallel.texts}


def test_importance_is_a_bar_for_each_parameter(tmp_path: Path) -> None:
    shares = {"val/psnr_y": {"a": 0.75, "b": 0.25}}
    made = jobs(tmp_path, [["a=1", "b=1"], ["a=2", "b=3"]])
    bars = figure(made, importance=shares).axes[0]
    assert [patch.get_width() for patch in bars.patches] == [0.25, 0.75]
    assert [text.get_text() for text in bars.get_yticklabels()] == ["b", "a"]


def test_jobs_that_differ_in_nothing_are_drawn_by_their_number(tmp_path: Path) -> None:
    (axes,) = figure(jobs(tmp_path, [[], []])).axes
    assert (axes.get_xlabel(), [x for x, _ in points(axes)]) == ("job", [0, 1])


def test_a_job_without_a_key_has_its_default(tmp_path: Path) -> None:
    made = jobs(tmp_path, [["a=1"], []])
    (found,) = varied(made, {0: {"a": "1"}, 1: {}})
    assert (found.categories, found.numbers) == (["1", "default"], {})


def test_nothing_is_drawn_without_a_result(tmp_path: Path) -> None:
    made = jobs(tmp_path, [["a=1"], ["a=2"]])
    draw(tmp_path / "sweep.png", results(made, [PSNR], importance={}))
    assert read_image(tmp_path / "sweep.png").std() > 5
    draw(tmp_path / "none.png", results(made, [Objective("val/lpips")], importance={}))
    assert not (tmp_path / "none.png").exists()
