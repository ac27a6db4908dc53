"""Bootstrap intervals against what is known in closed form."""

import numpy as np
import pytest
from scipy.stats import t

from sr.evaluation import bootstrap
from sr.evaluation.bootstrap import attainable, mean_intervals


@pytest.mark.parametrize("count", [10, 40, 300])
def test_normal_values_give_student_s_interval(count: int) -> None:
    values = np.random.default_rng(count).normal(30, 2, size=(count, 200))
    low, high = mean_intervals(values).T
    half = t.ppf(0.975, count - 1) * values.std(axis=0, ddof=1) / np.sqrt(count)
    assert np.median((high - low) / 2 / half) == pytest.approx(1, abs=0.03)
    # A skewed sample moves the middle, which Student's interval cannot.
    assert np.median(np.abs((high + low) / 2 - values.mean(axis=0)) / half) < 0.1


@pytest.mark.parametrize(("count", "least"), [(5, 0.92), (14, 0.935), (100, 0.94)])
def test_intervals_hold_the_truth_as_often_as_they_say(count: int, least: float) -> None:
    values = np.random.default_rng(1).normal(size=(count, 4000))
    low, high = mean_intervals(values).T
    assert least < np.mean((low <= 0) & (high >= 0)) < 0.965


def test_the_plain_percentiles_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the expansion is for: of five images the plain interval holds the truth in fewer than 9 of 10 cases."""
    values = np.random.default_rng(1).normal(size=(5, 4000))
    means = values.mean(axis=0) + bootstrap._resampled_means(values - values.mean(axis=0))
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    assert np.mean((low <= 0) & (high >= 0)) < 0.88


def test_a_difference_is_paired() -> None:
    rng = np.random.default_rng(0)
    difficulty = rng.normal(28, 4, size=50)  # images differ more than models do
    first, second = difficulty + rng.normal(0.2, 0.1, size=50), difficulty
    intervals = mean_intervals(np.stack([first, second, first - second], axis=1))
    widths = intervals[:, 1] - intervals[:, 0]
    assert widths[2] < widths[0] / 20
    assert 0 < intervals[2, 0] < 0.2 < intervals[2, 1]
    # As wide as the closed form says, and not as that of two independent means.
    half = t.ppf(0.975, 49) * (first - second).std(ddof=1) / np.sqrt(50)
    assert widths[2] / 2 == pytest.approx(half, rel=0.06)


def test_draws_of_one_image_stay_together() -> None:
    """Where images differ and draws do not, eight draws tell hardly more than one: resampling draws would claim so."""
    rng = np.random.default_rng(0)
    images = rng.normal(28, 4, size=(30, 1))
    draws = (images + rng.normal(0, 0.1, size=(30, 8))).reshape(-1, 1)
    together, apart = mean_intervals(draws, draws=8)[0], mean_intervals(draws)[0]
    once = mean_intervals(images)[0]
    assert together[1] - together[0] == pytest.approx(once[1] - once[0], rel=0.05)
    assert apart[1] - apart[0] < 0.4 * (together[1] - together[0])
    with pytest.raises(ValueError, match="240 rows of values do not hold draws=7"):
        mean_intervals(draws, draws=7)


def test_the_same_values_give_the_same_interval() -> None:
    values = np.random.default_rng(0).normal(size=(14, 3))
    first = mean_intervals(values)
    assert np.array_equal(first, mean_intervals(values))
    assert np.array_equal(first[1], mean_intervals(values[:, 1:])[0])  # whatever stands beside it


def test_where_there_is_no_interval() -> None:
    assert np.isnan(mean_intervals(np.array([[3.0, 4.0]]))).all()
    infinite = mean_intervals(np.array([[1.0, np.inf], [2.0, 5.0], [3.0, 6.0]]))
    assert np.isfinite(infinite[0]).all()
    assert np.isnan(infinite[1]).all()
    assert mean_intervals(np.full((6, 1), 0.1)).tolist() == [[0.1, 0.1]]


def test_few_images_give_their_range_at_most() -> None:
    values = np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_allclose(mean_intervals(values), [[1.0, 4.0]], rtol=1e-12)
    normal = np.random.default_rng(0).normal(size=(3, 20_000))
    covered = np.mean((normal.min(axis=0) <= 0) & (normal.max(axis=0) >= 0))
    assert attainable(3) == pytest.approx(covered, abs=0.01)
