"""The mean over a set of images."""

from torch import Tensor


def set_mean(rows: Tensor) -> Tensor:
    """(images, metrics) -> (metrics,) float32.

    Summed in double precision, so that the order of the images cannot show, and rounded to what Lightning's log
    keeps, so that validation and evaluation print the same digits.
    """
    return rows.double().mean(dim=0).float()
