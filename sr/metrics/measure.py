"""A further metric, which the protocol computes beside PSNR and SSIM."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor

from sr.metrics.quantity import Quantity


class Measure(ABC):
    """Values of a pair of images beside those of `sr.metrics.protocol.Protocol`, which hands over what it compares.

    Attributes:
        quantities: name -> what its values are.
        smallest: the smallest height and width of an image in pixels, without the border that is cut.
        takes_valid: whether a call takes `valid` by keyword, (N, C, H, W) bool, and counts nothing else. Others see SR
            with the values of HR where HR has no data.
        physical: whether it compares values in units of the file, with the normalisation undone, because an offset
            would change what it says.
        channels: the number of channels that the images must have; None for any.
    """

    quantities: Mapping[str, Quantity]
    smallest: int = 1
    channels: int | None = None
    takes_valid: bool = False
    physical: bool = False

    @abstractmethod
    def __call__(self, sr: Tensor, hr: Tensor) -> Mapping[str, Tensor]:
        """(N, C, H, W) in double precision, rounded to 8 bits, in [0, 1], border cut -> name -> one value per image,
        (N,)."""

    def describe(self) -> Mapping[str, str]:
        """Name -> one sentence on how it is computed, for whoever reads the values."""
        return {name: quantity.titled(name) for name, quantity in self.quantities.items()}
