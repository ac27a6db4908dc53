"""degradation=realesrgan against the published table, number by number and draw by draw."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from helpers import compose_config
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import stats

from sr.degradations.blur import Blur, Sinc
from sr.degradations.noise import GaussianNoise, PoissonNoise
from sr.degradations.pipeline import Degradation
from sr.degradations.record import Record

DRAWS = 10_000
# About a hundred comparisons share the draws; a probability that is wrong by .03 gives 1e-9.
P_VALUE = 1e-5
FAMILIES = {
    "iso": 0.45,
    "aniso": 0.25,
    "generalized_iso": 0.12,
    "generalized_aniso": 0.03,
    "plateau_iso": 0.12,
    "plateau_aniso": 0.03,
}
THREE_MODES = dict.fromkeys(("area", "bilinear", "bicubic"), 1 / 3)


def degradation(*overrides: str) -> Degradation:
    cfg = compose_config("degradation=realesrgan", *overrides)
    built: Degradation = instantiate(cfg.degradation)
    return built


@pytest.fixture(scope="module")
def records() -> list[Record]:
    chain = degradation()
    return [chain.draw(np.random.default_rng((0, number))) for number in range(DRAWS)]


def steps(records: list[Record], path: str) -> list[Any]:
    return [record.steps[path] for record in records if path in record.steps]


def assert_frequencies(found: list[Any], expected: dict[Any, float]) -> None:
    counts = Counter(found)
    expected = {name: p for name, p in expected.items() if p > 0}
    assert set(counts) <= set(expected)
    if len(expected) == 1:
        return
    result = stats.chisquare([counts[name] for name in expected], [p * len(found) for p in expected.values()])
    assert result.pvalue > P_VALUE, (counts, expected)


def assert_uniform(found: list[float], low: float, high: float) -> None:
    assert low <= min(found)
    assert max(found) <= high
    assert stats.kstest(found, stats.uniform(low, high - low).cdf).pvalue > P_VALUE


def test_every_number_is_the_published_one() -> None:
    stages: Any = OmegaConf.to_container(compose_config("degradation=realesrgan").degradation, resolve=True)
    assert stages["margin"] * 2 + 256 == 400
    stages = stages["stages"]
    assert list(stages) == ["first", "second", "last"]
    first, second, last = stages.values()
    assert list(first) == ["blur", "resize", "noise", "jpeg"]
    assert list(second) == ["blur", "resize", "noise"]

    def numbers(stage: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in stage.items() if key != "_target_"}

    blur = {
        "families": FAMILIES,
        "sinc_probability": 0.1,
        "size": [7, 21],
        "generalized_beta": [0.5, 4],
        "plateau_beta": [1, 2],
    }
    assert numbers(first["blur"]) == {**blur, "probability": 1.0, "sigma": [0.2, 3]}
    assert numbers(second["blur"]) == {**blur, "probability": 0.8, "sigma": [0.2, 1.5]}
    modes = ["area", "bilinear", "bicubic"]
    assert numbers(first["resize"]) == {
        "directions": {"up": 0.2, "down": 0.7, "keep": 0.1},
        "factor": [0.15, 1.5],
        "modes": modes,
    }
    assert numbers(second["resize"]) == {
        "directions": {"up": 0.3, "down": 0.4, "keep": 0.3},
        "factor": [0.3, 1.2],
        "modes": modes,
        "scale": 4,
    }
    noise = {"gaussian_probability": 0.5, "gray_probability": 0.4}
    assert numbers(first["noise"]) == {**noise, "sigma": [1, 30], "poisson_strength": [0.05, 3]}
    assert numbers(second["noise"]) == {**noise, "sigma": [1, 25], "poisson_strength": [0.05, 2.5]}
    assert numbers(first["jpeg"]) == {"quality": [30, 95]}
    assert numbers(last["stages"]["jpeg"]) == {"quality": [30, 95]}
    back = last["stages"]["back"]
    assert numbers(back["resize"]) == {"scale": 4, "modes": modes}
    cutoff = [math.pi / 3, math.pi]
    assert numbers(back["sinc"]) == {"probability": 0.8, "cutoff": pytest.approx(cutoff), "size": [7, 21]}


@pytest.mark.parametrize(("path", "probability"), [("first.blur", 1.0), ("second.blur", 0.8)])
def test_kernels(records: list[Record], path: str, probability: float) -> None:
    happened = steps(records, path)
    assert_frequencies([path in r.steps for r in records], {True: probability, False: 1 - probability})
    assert_frequencies([type(step) for step in happened], {Blur: 0.9, Sinc: 0.1})
    assert_frequencies([step.family for step in happened if isinstance(step, Blur)], FAMILIES)
    assert_frequencies([step.size for step in happened], dict.fromkeys(range(7, 22, 2), 1 / 8))


@pytest.mark.parametrize(("path", "highest"), [("first.blur", 3.0), ("second.blur", 1.5)])
def test_shapes_of_kernels(records: list[Record], path: str, highest: float) -> None:
    blurs = [step for step in steps(records, path) if isinstance(step, Blur)]
    turned = [step for step in blurs if step.family.endswith("aniso")]
    assert_uniform([step.sigma_x for step in blurs], 0.2, highest)
    assert_uniform([step.sigma_y for step in turned], 0.2, highest)
    assert_uniform([step.rotation for step in turned], -math.pi, math.pi)
    straight = [step for step in blurs if not step.family.endswith("aniso")]
    assert all(step.sigma_y is None and step.rotation is None for step in straight)
    assert all(step.beta is None for step in blurs if step.family in ("iso", "aniso"))
    generalized = [step.beta for step in blurs if step.family.startswith("generalized")]
    assert_frequencies([beta < 1 for beta in generalized], {True: 0.5, False: 0.5})
    assert_uniform([beta for beta in generalized if beta < 1], 0.5, 1)
    assert_uniform([beta for beta in generalized if beta >= 1], 1, 4)
    plateau = [step.beta for step in blurs if step.family.startswith("plateau")]
    assert_frequencies([beta == 1 for beta in plateau], {True: 0.5, False: 0.5})
    assert_uniform([beta for beta in plateau if beta != 1], 1, 2)
    sincs = [step for step in steps(records, path) if isinstance(step, Sinc)]
    assert_uniform([step.cutoff for step in sincs if step.size < 13], math.pi / 3, math.pi)
    assert_uniform([step.cutoff for step in sincs if step.size >= 13], math.pi / 5, math.pi)


@pytest.mark.parametrize(
    ("path", "full", "directions", "factor"),
    [
        ("first.resize", 1.0, {"up": 0.2, "down": 0.7, "keep": 0.1}, (0.15, 1.5)),
        ("second.resize", 0.25, {"up": 0.3, "down": 0.4, "keep": 0.3}, (0.3, 1.2)),
    ],
)
def test_resizes(
    records: list[Record],
    path: str,
    full: float,
    directions: dict[str, float],
    factor: tuple[float, float],
) -> None:
    factors = [step.fraction / full for step in steps(records, path)]
    names = ["keep" if value == 1 else "up" if value > 1 else "down" for value in factors]
    assert_frequencies(names, directions)
    assert_uniform([value for value in factors if value > 1], 1, factor[1])
    assert_uniform([value for value in factors if value < 1], factor[0], 1)
    assert_frequencies([step.mode for step in steps(records, path)], THREE_MODES)


@pytest.mark.parametrize(
    ("path", "sigma", "strength"),
    [("first.noise", (1, 30), (0.05, 3)), ("second.noise", (1, 25), (0.05, 2.5))],
)
def test_noise(
    records: list[Record], path: str, sigma: tuple[float, float], strength: tuple[float, float]
) -> None:
    found = steps(records, path)
    assert_frequencies([type(step) for step in found], {GaussianNoise: 0.5, PoissonNoise: 0.5})
    assert_frequencies([step.color for step in found], {"gray": 0.4, "color": 0.6})
    assert_uniform([step.sigma for step in found if isinstance(step, GaussianNoise)], *sigma)
    assert_uniform([step.strength for step in found if isinstance(step, PoissonNoise)], *strength)
    assert len({step.seed for step in found}) > DRAWS - 10


def test_jpeg_and_the_last_step(records: list[Record]) -> None:
    qualities = dict.fromkeys(range(30, 96), 1 / 66)
    for path in ("first.jpeg", "last.jpeg"):
        assert len(steps(records, path)) == DRAWS
        assert_frequencies([step.quality for step in steps(records, path)], qualities)
        assert {step.subsampling for step in steps(records, path)} == {"4:2:0"}
    assert {step.fraction for step in steps(records, "last.back.resize")} == {0.25}
    assert_frequencies([step.mode for step in steps(records, "last.back.resize")], THREE_MODES)
    sincs = steps(records, "last.back.sinc")
    assert_frequencies(["last.back.sinc" in r.steps for r in records], {True: 0.8, False: 0.2})
    assert_uniform([step.cutoff for step in sincs], math.pi / 3, math.pi)
    assert_frequencies([step.size for step in sincs], dict.fromkeys(range(7, 22, 2), 1 / 8))
    assert_frequencies([[*record.steps][-1] == "last.jpeg" for record in records], {True: 0.5, False: 0.5})


def test_the_order_is_the_published_one(records: list[Record]) -> None:
    shared = ["first.blur", "first.resize", "first.noise", "first.jpeg", "second.resize", "second.noise"]
    for record in records[:200]:
        order = [path for path in record.steps if path not in ("second.blur", "last.back.sinc")]
        assert order[:6] == shared
        assert sorted(order[6:]) == ["last.back.resize", "last.jpeg"]
        if "second.blur" in record.steps:
            assert [*record.steps].index("second.blur") == 4
        if "last.back.sinc" in record.steps:
            place = [*record.steps].index("last.back.sinc")
            assert [*record.steps][place - 1] == "last.back.resize"


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["realesrgan", "realesrgan_mild", "bsrgan", "mild", "aliased", "bicubic"])
def test_every_degradation_at_every_scale(name: str, scale: int) -> None:
    chain = degradation(f"degradation={name}", f"scale={scale}")
    rng = np.random.default_rng(0)
    hr = np.random.default_rng(1).random((36, 48, 3), dtype=np.float32)
    for _ in range(2):
        lr = chain.draw(rng).apply(hr)
        assert lr.shape == (36 // scale, 48 // scale, 3)
        assert lr.dtype == np.float32
        np.testing.assert_allclose(lr * 255, (lr * 255).round(), atol=1e-4)
        assert lr.min() >= 0
        assert lr.max() <= 1


@pytest.mark.parametrize("name", ["realesrgan", "realesrgan_mild", "bsrgan", "mild", "aliased", "bicubic"])
def test_lr_is_not_shifted_against_hr(name: str) -> None:
    """The brightness of a wide blob keeps its centre of mass, whatever was drawn."""
    chain = degradation(f"degradation={name}")
    rows, columns = np.mgrid[:256, :256] + 0.5
    blob = np.exp(-((rows - 120) ** 2 + (columns - 140) ** 2) / (2 * 30**2)).astype(np.float32)
    hr = np.repeat(blob[:, :, None], 3, axis=2)
    shifts = []
    for number in range(24):
        lr = chain.draw(np.random.default_rng((0, number))).apply(hr).mean(axis=2)
        weights = np.clip(lr - 0.3, 0, None)
        at = np.mgrid[:64, :64] + 0.5
        centre = (at * weights).sum(axis=(1, 2)) / weights.sum() * 4
        shifts.append(centre - (120, 140))
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.25, np.mean(shifts, axis=0)


def test_a_scale_that_the_margin_does_not_fit_is_refused() -> None:
    with pytest.raises(Exception, match=r"degradation.margin=72 must be a multiple of scale=5"):
        degradation("scale=5")
