"""The distance from a cut within which a net's output differs: the margin that tiles need, measured."""

from dataclasses import dataclass

import torch

from sr.upscale.network import Network

# The change that a missing neighbour may cause: a quarter of the half level that rounding hides.
TOLERANCE = 0.1 / 255
WIDTH = 16  # width of the strips; the distance is measured along their length
SHORTEST, LONGEST = 16, 128


@dataclass(frozen=True)
class Reach:
    """The number of pixels from a cut within which the output differs by more than TOLERANCE.

    `complete` is False when it still differs at LONGEST, which `pixels` is then.
    """

    pixels: int
    complete: bool


def measure_reach(network: Network, *, align: int = 1) -> Reach:
    """Run strips whole and cut in the middle, and find how far from the cut the results differ.

    The theoretical receptive field of an RRDBNet is 350 pixels, but nearly all of them have a weight too small to show
    in 8 bits. Strips are cut along both axes, and both sides are compared. They have two contents: noise, which drives
    every filter, and white, on which the zeros that the net pads with add up instead of averaging out. Strips are made
    longer until the end of the difference is well inside.

    Args:
        network: the net.
        align: the number whose multiples tiles start at, see `sr.upscale.alignment`; strips are cut there too.
    """
    length = SHORTEST
    while True:
        cut = -(-length // align) * align
        found = max(_longest_difference(network, cut, turned) for turned in (False, True))
        if found <= length * 3 // 4:
            return Reach(found, True)
        if length == LONGEST:
            return Reach(LONGEST, False)
        length *= 2


def _longest_difference(network: Network, length: int, turned: bool) -> int:
    noise = torch.rand(network.channels, WIDTH, 2 * length, generator=torch.Generator().manual_seed(0))
    strips = torch.stack((noise, torch.ones_like(noise)))
    whole, before, after = (
        along(network, part, turned) for part in (strips, strips[..., :length], strips[..., length:])
    )
    middle = length * network.scale
    differences = (whole[..., :middle] - before).abs().flip(-1), (whole[..., middle:] - after).abs()
    worst = torch.maximum(*(difference.amax((0, 1, 2)) for difference in differences))
    far = (worst.reshape(length, network.scale).amax(1) > TOLERANCE).nonzero()
    return int(far.max()) + 1 if len(far) else 0


def along(network: Network, strips: torch.Tensor, turned: bool) -> torch.Tensor:
    """Run strips as rows, or `turned` as columns; the result lies along the same axis as the strips."""
    # In fp32, because the rounding of bf16 does not depend on distance.
    if turned:
        return network(strips.mT, exact=True).mT
    return network(strips, exact=True)
