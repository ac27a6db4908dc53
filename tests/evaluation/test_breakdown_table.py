"""Which parameters the table of a breakdown shows, and in which order."""

from itertools import combinations

import numpy as np
from drawn_images import blur, image

from sr.degradations.blur import Blur
from sr.degradations.compression import Jpeg, Webp
from sr.degradations.noise import GaussianNoise
from sr.degradations.step import Step
from sr.evaluation.breakdown_table import format_breakdown
from sr.evaluation.description import ProtocolDescription
from sr.evaluation.lr_origin import DrawnLR
from sr.evaluation.result import Evaluation, ImageResult
from sr.evaluation.summary import summarise_set
from sr.metrics.protocol import MSE, PSNR


def evaluated(images: list[ImageResult], *models: str) -> Evaluation:
    return Evaluation(
        protocol=ProtocolDescription(
            name="validation",
            changed=[],
            spaces=["y"],
            crop_border=4,
            definitions={},
            interval="",
            scale=4,
            lr=DrawnLR({}, seed=0, draws=1),
        ),
        checkpoints={},
        models=models,
        quantities={"psnr_y": PSNR, "mse": MSE},
        sets={"photos": summarise_set(images, models=models, draws=1)},
    )


def table(images: list[ImageResult], *models: str) -> list[str]:
    return format_breakdown(evaluated(images, *models)).splitlines()


def two_models() -> list[ImageResult]:
    """Quality costs the net 2 dB of its gain, the blur 0.1 dB; the noise comes twice, too rarely to tell."""
    images = []
    for number in range(12):
        quality, sigma = (40, 80)[number % 2], (1.0, 2.0)[number // 2 % 2]
        steps: dict[str, Step] = {"blur": blur(sigma), "jpeg": Jpeg(quality=quality)}
        if number < 2:
            steps["noise"] = GaussianNoise(sigma=4, color="gray", seed=1)
        net = 25 + 2 * (quality > 60) + 0.1 * (sigma < 1.5)
        images.append(image(steps, net=net + number, bicubic=24.0 + number))
    return images


def test_the_table_puts_first_what_matters_most_to_the_gain() -> None:
    title, header, *rows, last = table(two_models(), "net", "bicubic")
    assert title == (
        "photos: gain in psnr_y by what was drawn, the clearest 2 of 2 parameters (all: metrics.json)"
    )
    assert header.split() == ["drawn", "images", "psnr_y", "gain"]
    assert [row.split() for row in rows] == [
        ["jpeg.quality", "<", "60", "6", "30.05", "/", "29.00", "+1.05"],
        [">=", "60", "6", "33.05", "/", "30.00", "+3.05"],
        ["blur.sigma_x", "<", "1.5", "6", "30.60", "/", "28.50", "+2.10"],
        [">=", "1.5", "6", "32.50", "/", "30.50", "+2.00"],
    ]
    assert last.startswith("by chance alone, two halves of these 12 images differ by")
    assert max(map(len, (title, header, *rows, last))) <= 110


def test_a_single_model_is_told_by_its_value() -> None:
    title, header, first, *_ = table(two_models(), "net")
    assert title.startswith("photos: psnr_y by what was drawn")
    assert header.split() == ["drawn", "images", "psnr_y"]
    assert first.split() == ["jpeg.quality", "<", "60", "6", "30.05"]


def test_few_images_cannot_push_a_parameter_to_the_top() -> None:
    """Three images 2 dB off the other nine say less than six that are 1.9 dB off the other six."""
    images = []
    for number in range(12):
        rare, half = number < 3, number % 2 == 0
        steps: dict[str, Step] = {"a": blur(1.0 + rare), "b": Jpeg(quality=40 if half else 80)}
        images.append(image(steps, net=20 + 2.0 * rare + 1.9 * half))
    names = [line.split()[0] for line in table(images, "net")[2:-1:2]]
    assert names == ["b.quality", "a.sigma_x"]


def test_many_groups_cannot_either() -> None:
    """Sums of squares between groups: 12 with one degree of freedom, 18 with two."""
    images = []
    for number in range(12):
        quality, third = (40, 80)[number % 2], number // 2 % 3
        shape = Blur(family=("iso", "aniso", "plateau_iso")[third], size=7, sigma_x=1.0, sigma_y=1.0)
        steps: dict[str, Step] = {"a": shape, "b": Jpeg(quality=quality)}
        images.append(image(steps, net=20 + (quality - 60) / 20 + 1.5 * (third - 1)))
    assert [line.split()[0] for line in table(images, "net")[2:-1]] == [
        *("b.quality", ">=", "a.family", "=", "=")
    ]


def test_what_chance_does_to_two_halves() -> None:
    """The last line against all 20 ways to divide six images."""
    gains = [1.0, 2.0, 4.0, 4.5, 7.0, 0.5]
    steps: list[dict[str, Step]] = [{"b": blur(1.0 + (number < 3))} for number in range(6)]
    images = [image(step, net=20 + gain, bicubic=20) for step, gain in zip(steps, gains, strict=True)]
    distances = [2 * (np.mean(half) - np.mean(gains)) for half in combinations(gains, 3)]
    expected = f"differ by {np.sqrt(np.mean(np.square(distances))):.2f} dB (one sigma)"
    assert expected in table(images, "net", "bicubic")[-1]


def test_a_stage_that_did_not_happen_is_told_by_its_kind_alone() -> None:
    steps: list[dict[str, Step]] = [{}] * 3 + [{"b": blur(1.0 + number)} for number in range(6)]
    images = [image(step, net=20 + number) for number, step in enumerate(steps)]
    rows = [line.split()[:3] for line in table(images, "net")[2:-1]]
    assert rows == [
        ["b.kind", "=", "Blur"],
        ["none", "3", "21.00"],
        ["b.sigma_x", "<", "3.5"],
        [">=", "3.5", "3"],
    ]


def test_twelve_parameters_at_most() -> None:
    # Each stage divides the images in a way of its own.
    images = [
        image(
            {f"stage{k:02}": blur(1.0 + (number >> k % 4 & 1 ^ (number == k))) for k in range(15)},
            net=20 + number,
        )
        for number in range(16)
    ]
    title, _, *rows, _ = table(images, "net")
    assert "the clearest 12 of 15 parameters" in title
    assert len(rows) == 24


def test_a_division_is_shown_once() -> None:
    """Of two stages of which one or the other happens, the second says what the first has said."""
    images = [
        image(
            {"codec.jpeg": Jpeg(quality=80)} if number < 4 else {"codec.webp": Webp(quality=80)},
            net=20 + number,
        )
        for number in range(8)
    ]
    title, _, *rows, _ = table(images, "net")
    assert "the clearest 1 of 1 parameters" in title
    assert [row.split()[:2] for row in rows] == [["codec.jpeg.kind", "="], ["none", "4"]]


def test_too_few_images_for_a_table() -> None:
    (line,) = table(two_models()[:4], "net")
    assert line == (
        "photos: no breakdown, since nothing that was drawn divides the 4 images into groups of 3 or more; more draws"
        " may help (draws=8)"
    )
    assert format_breakdown(evaluated([ImageResult("x", {"net": {"psnr_y": 20.0}})], "net")) == ""
