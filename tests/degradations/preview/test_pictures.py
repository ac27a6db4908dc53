"""The words of the captions, the bars of the histograms and the order of the steps."""

import json
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from sr.degradations.preview.pictures import caption, describe, draw_values
from sr.degradations.preview.samples import in_chain_order
from sr.degradations.record import VERSION, Record

EVERY_STEP = {
    "first.blur": {"kind": "sr.degradations.blur.Blur", "family": "generalized_aniso", "size": 21}
    | {"sigma_x": 2.5, "sigma_y": 0.5, "rotation": -3.0, "beta": 0.5},
    "first.sinc": {"kind": "sr.degradations.blur.Sinc", "size": 13, "cutoff": 1.5707963},
    "first.resize": {"kind": "sr.degradations.resize.Resize", "fraction": 0.43, "mode": "area"},
    "first.noise": {
        "kind": "sr.degradations.noise.GaussianNoise",
        "sigma": 12.34,
        "color": "gray",
        "seed": 0,
    },
    "second.noise": {
        "kind": "sr.degradations.noise.PoissonNoise",
        "strength": 1.5,
        "color": "color",
        "seed": 0,
    },
    "second.jpeg": {"kind": "sr.degradations.compression.Jpeg", "quality": 57, "subsampling": "4:4:4"},
    "webp": {"kind": "sr.degradations.compression.Webp", "quality": 80},
    "camera": {"kind": "sr.degradations.transform.Transform", "seed": 0, "description": ""},
    "to_lr": {"kind": "sr.degradations.resize.MatlabBicubic", "scale": 4},
}
EVERY_STEP["camera"]["description"] = json.dumps(
    {"transform": {"transforms": [{"__class_fullname__": "ISONoise", "p": 0.25}]}}
)


def every_step() -> Record:
    steps = [{"path": path, **fields} for path, fields in EVERY_STEP.items()]
    return Record.from_json(json.dumps({"version": VERSION, "scale": 4, "steps": steps}))


def test_every_step_has_words_of_its_own() -> None:
    record = every_step()
    assert [describe(step) for step in record.steps.values()] == [
        "blur generalized aniso 2.50 x 0.50 px -172°, beta 0.50, 21 taps",
        "sinc 0.50 pi, 13 taps",
        "resize 0.430 area",
        "gaussian 12.3 gray",
        "poisson 1.50 color",
        "jpeg 57 4:4:4",
        "webp 80",
        "ISONoise (p 0.25)",
        "MATLAB bicubic 1/4",
    ]


@dataclass(frozen=True, kw_only=True)
class Fog:
    """A step of a user's own."""

    density: float
    color: str
    seed: int

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        return image


def test_a_step_of_the_user_s_is_described_by_its_parameters() -> None:
    assert describe(Fog(density=0.5, color="gray", seed=3)) == "Fog density 0.5, color gray"


def test_captions_break_between_steps_and_name_the_group() -> None:
    assert caption(every_step(), width=56) == [
        "first: blur generalized aniso 2.50 x 0.50 px -172°,",
        "  beta 0.50, 21 taps; sinc 0.50 pi, 13 taps;",
        "  resize 0.430 area; gaussian 12.3 gray",
        "second: poisson 1.50 color; jpeg 57 4:4:4",
        "webp 80",
        "ISONoise (p 0.25)",
        "MATLAB bicubic 1/4",
    ]


def test_histograms_hold_every_value_once() -> None:
    axes = Figure().subplots()
    draw_values(axes, [1.0] * 60 + np.linspace(0, 2, 40).tolist())
    assert sum(bar.get_height() for bar in axes.patches) == 40
    assert [text.get_text() for text in axes.texts] == ["+ 1 in 60%"]
    axes = Figure().subplots()
    draw_values(axes, [*range(7, 23, 2)] * 10)  # odd numbers alone
    assert [bar.get_height() for bar in axes.patches] == [10] * 8
    assert axes.patches[0].get_x() + axes.patches[0].get_width() / 2 == 7
    axes = Figure().subplots()
    draw_values(axes, [*range(30, 96)] * 10)  # too many for a bar each
    assert [bar.get_height() for bar in axes.patches] == [30] * 22
    axes = Figure().subplots()
    draw_values(axes, ["gray"] * 2 + ["color"] * 3)
    assert [text.get_text() for text in axes.texts] == ["color  60%", "gray  40%"]
    assert [bar.get_width() for bar in axes.patches] == [0.6, 0.4]


def test_steps_are_listed_by_their_mean_place() -> None:
    def record(*names: str) -> Record:
        steps = [{"path": name, "kind": "sr.degradations.compression.Webp", "quality": 80} for name in names]
        return Record.from_json(json.dumps({"version": VERSION, "scale": 1, "steps": steps}))

    assert in_chain_order([record("b", "d"), record("a", "b", "c", "d")]) == ["a", "b", "c", "d"]
