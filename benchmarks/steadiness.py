"""Measure how much an enlarged film flickers, and what `--blend` changes: `python benchmarks/steadiness.py`.

The scene is a crop of a photograph that scikit-image ships. In the still film nothing moves, and every frame has its
own noise, as of a camera. In the pan the crop moves by a quarter of a pixel per frame: blending must not smear it, so
the change of the results by blending is measured, away from the borders. Flicker is `sr.video.steadiness.flicker`, in
levels of 8 bits. Each film goes through the net as `sr-upscale` sends it; the still one is also encoded and decoded as
its default does. Without --ckpt the net is bicubic interpolation by 4.
"""

import argparse
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import harness
import numpy as np
from harness import Result
from skimage import data
from torch import device

from sr.archs.bicubic import Bicubic
from sr.upscale.network import Network
from sr.upscale.upscaler import Upscaler
from sr.video.blend import Shown, blend
from sr.video.codecs import choose_encoding
from sr.video.colour import BT709, Colour
from sr.video.encode import encoding_segment
from sr.video.film import opened
from sr.video.layout import image_of, layout_of
from sr.video.steadiness import flicker, shifted
from sr.weights.generator import load_generator

SIDE, BORDER = 128, 8
LEVEL = 257.0  # of 8 bits, in those of 16
STEP = 0.25


def still(frames: int, sigma: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    scene = crop()
    return [to_levels(scene + rng.normal(0, sigma, scene.shape)) for _ in range(frames)]


def pan(frames: int) -> list[np.ndarray]:
    return [to_levels(shifted(crop(), (0, STEP * number))) for number in range(frames)]


def crop() -> np.ndarray:
    return data.chelsea()[100 : 100 + SIDE, 120 : 120 + SIDE].astype(np.float64)


def to_levels(image: np.ndarray) -> np.ndarray:
    """As coarse as a film of 8 bits."""
    return (np.rint(image).clip(0, 255) * LEVEL).astype(np.uint16)


def blended(frames: Sequence[np.ndarray], results: Sequence[np.ndarray], weight: float) -> list[np.ndarray]:
    shown = [Shown(frame, result) for frame, result in zip(frames, results, strict=True)]
    if not weight:
        return list(results)[1:-1]
    triples = zip(shown, shown[1:], shown[2:], strict=False)
    return [blend(before, now, after, weight=weight) for before, now, after in triples]


def encoded(results: Sequence[np.ndarray]) -> list[np.ndarray]:
    colour, layout = Colour(BT709, full=False), layout_of("yuv420p")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.nut"
        with encoding_segment(
            path,
            encoding=choose_encoding(layout, suffix=".mkv"),
            colour=colour,
            size=results[0].shape[:2],
            rate=Fraction(25),
        ) as encode:
            for result in results:
                encode(result)
        with opened(path) as container:
            return [image_of(frame, layout, colour) for frame in container.decode(video=0)]


def measure(upscaler: Upscaler, *, frames: int, sigma: float, weights: Sequence[float]) -> list[Result]:
    noisy, moving = still(frames, sigma), pan(frames)
    scale = upscaler.network.scale
    border = BORDER * scale
    noisy_results, moving_results = upscaler.frames(noisy), upscaler.frames(moving)
    steady = {"input": [flicker(noisy, border=BORDER) / LEVEL]}
    stored, smeared = {}, {}
    inside = slice(border, -border)
    for weight in weights:
        name = f"--blend {weight:g}"
        results = blended(noisy, noisy_results, weight)
        steady[name] = [flicker(results, border=border) / LEVEL]
        stored[name] = [flicker(encoded(results), border=border) / LEVEL]
        pairs = zip(blended(moving, moving_results, weight), moving_results[1:-1], strict=True)
        changes = [
            np.abs(one[inside, inside].astype(float) - other[inside, inside]).mean() for one, other in pairs
        ]
        smeared[name] = [float(np.mean(changes)) / LEVEL]
    return [
        Result(f"flicker of a still scene, noise {sigma:g}", "levels", steady, "input"),
        Result("the same after H.264, crf 16", "levels", stored, f"--blend {weights[0]:g}"),
        Result("change of a pan by blending", "levels", smeared),
    ]


def make_upscaler(ckpt: str | None) -> Upscaler:
    if ckpt is None:
        net, scale = Bicubic(scale=4), 4
    else:
        trained = load_generator(ckpt)
        net, scale = trained.net, trained.scale
    return Upscaler(network=Network(net=net, scale=scale, channels=3, device=device("cpu"), precision="fp32"))


def main() -> None:
    options: argparse.ArgumentParser = harness.parser(__doc__, rounds=None)
    options.add_argument("--ckpt", help="a checkpoint; default: bicubic interpolation by 4")
    options.add_argument("--frames", type=int, default=12, help="of each film; default: 12")
    options.add_argument("--noise", type=float, default=2.0, help="standard deviation in levels; default: 2")
    options.add_argument("--blend", type=float, nargs="+", default=[0.0, 0.25, 0.5, 1.0], help="the weights")
    given = options.parse_args()
    results = measure(make_upscaler(given.ckpt), frames=given.frames, sigma=given.noise, weights=given.blend)
    harness.publish(results, file=given.json)


if __name__ == "__main__":
    main()
