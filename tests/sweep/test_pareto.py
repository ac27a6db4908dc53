import pytest

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
    assert objective("val/psnr_y") == PSNR
    assert objective("val/lpips") == LPIPS
    assert objective("val/lpips", "maximize").direction == "maximize"
    with pytest.raises(ValueError, match="train/adversarial needs a direction: maximize or minimize"):
        objective("train/adversarial")
