"""Where tiles may start: the number of pixels by which an image can be shifted without changing its result."""

import torch

from sr.upscale.network import Network
from sr.upscale.reach import TOLERANCE, WIDTH, along

# What nets shift by: nothing, pixels that they unshuffle, windows and what windows of two sizes have in common.
CANDIDATES = (1, 2, 3, 4, 6, 7, 8, 12, 14, 16, 24, 28, 32, 48, 56, 64)
FAR = 64  # from a cut and from the end, where other windows are padded
LENGTH = 256  # a multiple of most windows
ABOUT_EQUAL = 2.0


def measure_alignment(network: Network) -> int:
    """The smallest number whose multiples tiles have to start at.

    A net that only convolves gives the same result, shifted, wherever an image is cut. One that unshuffles its pixels,
    or looks at windows, groups pixels by their distance from the border, so a tile has to start where a group does. A
    strip of noise is run from its beginning and from each of `CANDIDATES`; the results are compared far from both ends.

    Where the cut itself can be seen so far away (a mean over the whole image), no candidate gives an equal result, and
    the smallest one of the best is taken.
    """
    noise = torch.rand(network.channels, WIDTH, LENGTH, generator=torch.Generator().manual_seed(0))
    wholes = {turned: along(network, noise[None], turned) for turned in (False, True)}
    differences = {}
    for shift in CANDIDATES:
        shown = slice((shift + FAR) * network.scale, (LENGTH - FAR) * network.scale)
        differences[shift] = max(
            float((whole[..., shown] - _shifted(network, noise, shift, turned)[..., shown]).abs().max())
            for turned, whole in wholes.items()
        )
        if differences[shift] <= TOLERANCE:
            return shift
    best = min(differences.values())
    return min(shift for shift, found in differences.items() if found <= ABOUT_EQUAL * best)


def _shifted(network: Network, noise: torch.Tensor, shift: int, turned: bool) -> torch.Tensor:
    """The result of a strip that begins `shift` pixels later, in the place where the whole strip has it."""
    later = along(network, noise[None, ..., shift:], turned)
    return torch.nn.functional.pad(later, (shift * network.scale, 0))
