"""Groups of images by what was drawn for them, against means calculated by hand."""

from collections.abc import Sequence

import pytest
from drawn_images import blur, image

from sr.degradations.blur import Sinc
from sr.degradations.compression import Jpeg
from sr.degradations.noise import GaussianNoise, PoissonNoise
from sr.evaluation.breakdown import breakdown, mean_values
from sr.evaluation.result import Group, ImageResult
from sr.evaluation.summary import summarise_set


def groups(result: Sequence[Group], parameter: str) -> dict[str, tuple[int, float]]:
    """Group -> images and the mean of PSNR."""
    return {
        group.label: (group.images, group.means["net"]["psnr_y"])
        for group in result
        if group.parameter == parameter
    }


def test_groups_and_their_means() -> None:
    images = [
        image({"blur": blur(0.5), "noise": GaussianNoise(sigma=4, color="gray", seed=1)}, net=20, other=1),
        image({"blur": blur(1.0), "noise": PoissonNoise(strength=1, color="gray", seed=2)}, net=22, other=2),
        image({"blur": Sinc(size=9, cutoff=2.0), "jpeg": Jpeg(quality=59)}, net=24, other=3),
        image({"blur": blur(2.26), "jpeg": Jpeg(quality=60)}, net=26, other=4),
        image({"blur": blur(3.0), "jpeg": Jpeg(quality=95)}, net=31, other=5),
    ]
    result = breakdown(images, models=["net", "other"])
    # The median of 0.5, 1, 2.26 and 3 is 1.63.
    assert groups(result, "blur.sigma_x") == {"< 1.6": (2, 21), ">= 1.6": (2, 28.5), "none": (1, 24)}
    assert groups(result, "blur.kind") == {"= Blur": (4, 24.75), "= Sinc": (1, 24)}
    assert groups(result, "blur.size") == {"< 9": (4, 24.75), ">= 9": (1, 24)}
    assert groups(result, "jpeg.quality") == {"< 60": (1, 24), ">= 60": (2, 28.5), "none": (2, 21)}
    assert groups(result, "jpeg.kind") == {"= Jpeg": (3, 27), "none": (2, 21)}
    assert groups(result, "noise.kind") == {
        "= GaussianNoise": (1, 20),
        "= PoissonNoise": (1, 22),
        "none": (3, 27),
    }
    # Nothing else was drawn in more ways than one.
    assert {group.parameter for group in result} == {
        *("blur.sigma_x", "blur.kind", "blur.size", "jpeg.quality", "jpeg.kind", "noise.kind")
    }
    assert (result[0].parameter, result[0].label, result[0].images) == ("blur.kind", "= Blur", 4)
    assert result[0].means == {
        "net": {"psnr_y": 24.75, "mse": pytest.approx(0.2475)},
        "other": {"psnr_y": 3.0, "mse": pytest.approx(0.03)},
    }


@pytest.mark.parametrize(
    ("qualities", "threshold", "below"),
    [
        ([30, 59, 60, 90, 95], "60", 2),
        ([61, 70, 80, 90, 95], "80", 2),  # never below 60
        ([30, 60, 60, 60, 60], "60", 1),
        ([60, 60, 60, 60, 70], "70", 4),  # never below 60, and the median is the lowest
        ([100, 99, 98, 97, 96], "98", 2),
    ],
)
def test_where_the_quality_is_divided(qualities: list[int], threshold: str, below: int) -> None:
    images = [image({"jpeg": Jpeg(quality=quality)}, net=0) for quality in qualities]
    result = groups(breakdown(images, models=["net"]), "jpeg.quality")
    assert {name: images for name, (images, _) in result.items()} == {
        f"< {threshold}": below,
        f">= {threshold}": 5 - below,
    }


@pytest.mark.parametrize(
    ("sigmas", "threshold"),
    [
        ([0.11111, 0.22222, 0.33333], "0.22"),
        ([120.0, 150.0, 180.0], "150"),  # not 1.5e+02
        ([1.0, 1.0, 1.0, 3.3333], "3.3"),  # the median would leave nobody below
        ([1.041, 1.042, 1.043], "1.042"),  # 1.0 and 1.04 would too
        ([-1.0, 0.0, 0.0, 0.0, 1.0], "0"),
    ],
)
def test_a_threshold_is_short_and_has_values_on_both_sides(sigmas: list[float], threshold: str) -> None:
    result = groups(breakdown([image({"b": blur(s)}, net=0) for s in sigmas], models=["net"]), "b.sigma_x")
    assert list(result) == [f"< {threshold}", f">= {threshold}"]
    assert [images for images, _ in result.values()] == [
        sum(sigma < float(threshold) for sigma in sigmas),
        sum(sigma >= float(threshold) for sigma in sigmas),
    ]


def test_a_set_without_draws_has_no_breakdown() -> None:
    plain = ImageResult("x", {"net": {"psnr_y": 20.0}})
    assert summarise_set([plain], models=["net"], draws=1).breakdown == []
    result = summarise_set([image({}, net=20), image({"b": blur(1.0)}, net=24)], models=["net"], draws=1)
    assert [(group.parameter, group.label) for group in result.breakdown] == [
        ("b.kind", "= Blur"),
        ("b.kind", "none"),
    ]
    found = {metric: mean.value for metric, mean in result.means["net"].items()}
    assert mean_values(result.images, "net") == found
