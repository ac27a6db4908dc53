"""The mean over a set of images."""

from torch import Tensor


def set_mean(rows: Tensor) -> Tensor:
    """(images, metrics) -> (metrics,) float32.

    The sum is in double precision, so that the order of the images does not matter. The mean is rounded to single
    precision, as in Lightning's log, so that validation and evaluation print the same digits.
    """
    return rows.double().mean(dim=0).float()
