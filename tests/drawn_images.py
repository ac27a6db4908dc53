"""Results of images for which something was drawn."""

import json

from sr.degradations.blur import Blur
from sr.degradations.record import Record
from sr.degradations.resize import MatlabBicubic
from sr.degradations.step import Step
from sr.evaluation.result import ImageResult


def image(steps: dict[str, Step], **psnr: float) -> ImageResult:
    record = Record(scale=4, steps={**steps, "down": MatlabBicubic(scale=4)})
    values = {model: {"psnr_y": value, "mse": value / 100} for model, value in psnr.items()}
    return ImageResult("x", values, drawn=json.loads(record.to_json()))


def blur(sigma: float) -> Blur:
    return Blur(family="iso", size=7, sigma_x=sigma, sigma_y=2.0)
