"""Measure what int8 costs on a test set: `python benchmarks/int8.py --ckpt FILE --hr DIR --calibrate DIR`.

LR is HR shrunk by MATLAB's bicubic and rounded to 8 bits. The net enlarges it in fp32 and in int8, whose calibration
sees pictures of another folder. PSNR of luma against HR, without a border of the scale, is shown for every image.
"""

import argparse
from functools import partial
from pathlib import Path

import harness  # noqa: F401  before torch, see there
import numpy as np
import torch

from sr.export.onnx_graph import onnx_graph
from sr.metrics.protocol import Protocol
from sr.ops.image import quantize, to_float, to_tensor
from sr.ops.normalisation import normalisation
from sr.ops.resize import imresize
from sr.pictures.listing import list_images
from sr.pictures.reading import read_image
from sr.upscale.calibration import draw_tiles
from sr.upscale.engines.engine import Engine
from sr.upscale.engines.in_int8 import int8_engine
from sr.upscale.engines.in_torch import TorchEngine
from sr.weights.generator import load_generator

CPU = torch.device("cpu")


@torch.no_grad()
def compare(engines: dict[str, Engine], files: list[Path], *, scale: int, channels: int) -> None:
    protocol, rows = Protocol(crop_border=scale, spaces=("y",), mse=False), []
    print(f"{'PSNR-Y, dB':16}" + "".join(f"{name:>10}" for name in engines) + f"{'cost':>10}")
    for file in files:
        hr = to_float(read_image(file, channels=channels))
        height, width = (size - size % scale for size in hr.shape[:2])
        hr = hr[:height, :width]
        lr = quantize(imresize(hr, size=(height // scale, width // scale)))
        given, truth = to_tensor(lr)[None], to_tensor(hr)[None]
        found = [float(protocol(engine(given), truth)["psnr_y"]) for engine in engines.values()]
        rows.append(found)
        show(file.stem, found)
    show("mean", np.mean(rows, axis=0).tolist())


def show(name: str, values: list[float]) -> None:
    print(f"{name:16}" + "".join(f"{value:10.3f}" for value in [*values, values[0] - values[-1]]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ckpt", required=True, help="the checkpoint")
    parser.add_argument("--hr", required=True, type=Path, help="the folder of the test set")
    parser.add_argument("--calibrate", required=True, type=Path, help="pictures for the calibration")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trained = load_generator(options.ckpt)
    by = normalisation(trained.normalise, key="normalise")
    engine = int8_engine(
        trained,
        graph=partial(onnx_graph, trained),
        device=CPU,
        engine="openvino",
        tiles=partial(draw_tiles, list_images(options.calibrate), channels=trained.channels, by=by),
    )
    engines = {"fp32": TorchEngine(trained.net, precision="fp32"), "int8": engine}
    compare(engines, list_images(options.hr), scale=trained.scale, channels=trained.channels)


if __name__ == "__main__":
    main()
