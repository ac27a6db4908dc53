"""Where bars and strokes of the charts lie."""

import math

import numpy as np
import pytest

from sr.evaluation.report.charts import MOST_BARS, charts, gain_chart, spread_chart
from sr.evaluation.result import ImageResult
from sr.metrics.protocol import MSE, PSNR


def images(gains: list[float], *, metric: str = "psnr_y") -> list[ImageResult]:
    return [
        ImageResult(str(number), {"net": {metric: 30 + gain}, "bicubic": {metric: 30.0}})
        for number, gain in enumerate(gains)
    ]


def test_bars_begin_at_zero_and_are_as_long_as_the_gain() -> None:
    found = gain_chart(
        images([3.0, -1.0, 0.5]), metric="psnr_y", quantity=PSNR, model="net", baseline="bicubic"
    )
    assert found is not None
    assert [(bar.name, bar.text, bar.better) for bar in found.bars] == [
        ("1", "-1.00", False),
        ("2", "+0.50", True),
        ("0", "+3.00", True),
    ]
    assert [(bar.start, bar.length) for bar in found.bars] == [(0, 25), (25, 12.5), (25, 75)]
    assert found.zero == 25
    assert found.title == "Gain of net over bicubic: PSNR (dB)"
    assert found.summary == "net is better than bicubic on 2 of 3 images"


def test_right_of_zero_is_better_also_where_lower_values_are() -> None:
    found = gain_chart(
        images([-2.0], metric="mse"), metric="mse", quantity=MSE, model="net", baseline="bicubic"
    )
    assert found is not None
    assert (found.bars[0].better, found.bars[0].start, found.bars[0].length, found.zero) == (True, 0, 100, 0)


def test_what_is_left_out_is_said() -> None:
    many = images([*np.linspace(-1, 1, 2 * MOST_BARS), math.inf])
    found = gain_chart(many, metric="psnr_y", quantity=PSNR, model="net", baseline="bicubic")
    assert found is not None
    assert len(found.bars) == MOST_BARS
    assert f"{MOST_BARS} of them are shown" in found.summary
    assert found.summary.endswith("1 without a finite gain are left out")
    perfect = images([math.inf])
    assert gain_chart(perfect, metric="psnr_y", quantity=PSNR, model="net", baseline="bicubic") is None


def test_the_spread_of_all_models_has_one_scale() -> None:
    found = spread_chart(
        images([1.0, 2.0, 3.0, 4.0, 10.0]), metric="psnr_y", quantity=PSNR, models=["net", "bicubic"]
    )
    assert found is not None
    assert (found.low, found.high) == ("30.00", "40.00")
    net, bicubic = found.models
    assert net.places == pytest.approx([10, 20, 30, 40, 100])
    assert net.box == pytest.approx((20, 30, 40))
    assert net.median == "33.00"
    assert bicubic.places == [0.0] * 5


def test_a_single_model_has_no_gain() -> None:
    alone = [ImageResult("a", {"bicubic": {"psnr_y": 30.0}})]
    ((gains, spread),) = charts(alone, quantities={"psnr_y": PSNR}, models=["bicubic"], most=2)
    assert gains is None
    assert spread is not None
