"""Images for the steps of a degradation, and blurs of every family."""

import math

import numpy as np
from helpers import picture

from sr.degradations.blur import Blur, Sinc
from sr.degradations.step import Step
from sr.ops.image import to_float

HR_SIZE = (48, 64)
GRAY = np.full((*HR_SIZE, 3), 100 / 255, np.float32)
PHOTO = to_float(picture(*HR_SIZE))


def applied(step: Step, image: np.ndarray = PHOTO) -> np.ndarray:
    return step(image, hr_size=HR_SIZE)


BLURS = [
    Blur(family="iso", size=21, sigma_x=2.0),
    Blur(family="aniso", size=7, sigma_x=3.0, sigma_y=0.2, rotation=1.0),
    Blur(family="generalized_aniso", size=13, sigma_x=3.0, sigma_y=0.5, rotation=-2.0, beta=0.5),
    Blur(family="plateau_iso", size=9, sigma_x=1.0, beta=2.0),
    Sinc(size=21, cutoff=math.pi / 3),
]
