"""NIQE: how natural an image is, without an original to compare it with."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import cv2
import numpy as np
import torch
from scipy.special import gamma
from torch import Tensor

from sr.metrics.color import luma
from sr.metrics.measure import Measure
from sr.metrics.quantity import LOWER, Quantity
from sr.ops.resize import imresize

BLOCK = 96  # pixels, at full size
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # of the neighbours that a pixel is multiplied by: down, right
_SHAPES = np.arange(0.2, 10.001, 0.001)  # among which the shape of a distribution is looked up
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))


class NIQEMetric(Measure):
    """The Natural Image Quality Evaluator: lower is more natural. HR is not looked at.

    Source: Mittal, Soundararajan and Bovik, "Making a 'Completely Blind' Image Quality Analyzer", IEEE Signal
    Processing Letters 2013, with the pristine model, block size and window of the authors' MATLAB release. On luma
    (ITU-R BT.601, rounded to 8 bits), with the border of the protocol. Published values of super-resolution are often
    of other luma and borders, which changes the first decimal.
    """

    quantities = MappingProxyType({"niqe": Quantity(better=LOWER, digits=".3f", title="NIQE")})
    smallest = 2 * BLOCK  # a covariance needs several blocks

    def describe(self) -> dict[str, str]:
        return {
            "niqe": "Mittal et al. 2013, blocks of 96 x 96, on luma (or gray) rounded to 8 bits, same border; lower is"
            " better, and HR is not looked at"
        }

    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        gray = luma(sr) if sr.shape[1] == 3 else sr.mean(dim=1, keepdim=True)
        images = (gray * 255).round().cpu().numpy()[:, 0]
        return {"niqe": torch.tensor([niqe(image) for image in images], device=sr.device)}


def niqe(image: np.ndarray) -> float:
    """NIQE of a gray image, (H, W) in [0, 255] with at least two blocks. NaN where an image has no texture at all."""
    height, width = (size // BLOCK * BLOCK for size in image.shape)
    full = image[:height, :width].astype(np.float64)
    half = imresize(full[..., None] / 255, size=(height // 2, width // 2))[..., 0] * 255
    features = np.concatenate([_features(full, BLOCK), _features(half, BLOCK // 2)], axis=1)
    mean = np.nanmean(features, axis=0)
    covariance = np.cov(features[~np.isnan(features).any(axis=1)], rowvar=False)
    pristine = _pristine()
    difference = pristine["mu_pris_param"] - mean
    inverse = np.linalg.pinv((pristine["cov_pris_param"] + covariance) / 2)
    return float(np.sqrt(difference @ inverse @ difference.T).item())


def _features(image: np.ndarray, block: int) -> np.ndarray:
    """(blocks, 18): the statistics of each block, column by column of blocks as in MATLAB."""
    normalised = _without_contrast(image)
    tiles = [
        normalised[top : top + block, left : left + block]
        for left in range(0, image.shape[1], block)
        for top in range(0, image.shape[0], block)
    ]
    return np.array([_statistics(tile) for tile in tiles])


def _without_contrast(image: np.ndarray) -> np.ndarray:
    """(image - local mean) / (local deviation + 1), under the window of the release."""
    window = _pristine()["gaussian_window"]
    mean = cv2.filter2D(image, cv2.CV_64F, window, borderType=cv2.BORDER_REPLICATE)
    power = cv2.filter2D(image**2, cv2.CV_64F, window, borderType=cv2.BORDER_REPLICATE)
    normalised: np.ndarray = (image - mean) / (np.sqrt(np.abs(power - mean**2)) + 1)
    return normalised


def _statistics(tile: np.ndarray) -> list[float]:
    """Shape and width of the values, and shape, mean and widths of the products of neighbours."""
    shape, left, right = _generalised_gaussian(tile)
    values = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right = _generalised_gaussian(tile * np.roll(tile, shift, axis=(0, 1)))
        mean = (right - left) * gamma(2 / shape) / gamma(1 / shape)
        values += [shape, mean, left, right]
    return values


def _generalised_gaussian(values: np.ndarray) -> tuple[float, float, float]:
    """Shape, left and right width of an asymmetric generalised Gaussian, by its moments (Lasmar et al., 2009)."""
    left = np.sqrt(_mean_square(values[values < 0]))
    right = np.sqrt(_mean_square(values[values > 0]))
    ratio = left / right
    spread = np.abs(values).mean() ** 2 / (values**2).mean()
    wanted = spread * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = _SHAPES[np.argmin((_RATIOS - wanted) ** 2)]
    scale = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * scale, right * scale


def _mean_square(values: np.ndarray) -> float:
    return float((values**2).mean()) if values.size else np.nan


@cache
def _pristine() -> Mapping[str, np.ndarray]:
    """mu_pris_param (1, 36), cov_pris_param (36, 36), gaussian_window (7, 7)."""
    with (files("sr.metrics") / "niqe_pristine.npz").open("rb") as file, np.load(file) as content:
        return {name: content[name] for name in content.files}
