import pytest

from sr.metrics.quantity import Quantity
from sr.sweep.pareto import Objective, front, objective

PSNR, LPIPS = Objective("val/psnr_y"), Objective("val/lpips", "minimize")


def test_the_front_is_what_nothing_beats() -> None:
    points = [(30.0, 0.3), (31.0, 0.4), (29.0, 0.3), (30.5, 0.5), (28.0, 0.1), (31.0, 0.4)]
    assert front(points, [PSNR, LPIPS]) == [0, 1, 4, 5]


def test_of_one_objective_it_is_the_best() -> None:
    assert front([(1.0,), (3.0,), (2.0,)], [PSNR]) == [1]
    assert front([(1.0,), (3.0,), (2.0,)], [LPIPS]) == [0]
    assert front([], [PSNR]) == []


def test_a_direction_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="direction=up: choose one of maximize, minimize"):
        Objective("val/psnr_y", "up")


def test_a_metric_knows_its_direction() -> None:
    known = {
        "psnr_y": Quantity(better="higher", digits=".2f"),
        "lpips": Quantity(better="lower", digits=".4f"),
        "sharpness": Quantity(better="neither", digits=".3f"),
    }
    assert objective("val/psnr_y", None, known) == PSNR
    assert objective("val/lpips", None, known) == LPIPS
    assert objective("val/lpips", "maximize", known).direction == "maximize"
    for column in ("train/adversarial", "train/psnr_y", "psnr_y", "val/loss_g", "val/sharpness"):
        with pytest.raises(
            ValueError, match=f"{column} needs a direction, maximize or minimize; .*: val/psnr_y, val/lpips$"
        ):
            objective(column, None, known)
