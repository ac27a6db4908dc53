"""What int8 costs and gains: its distance from fp32 in dB, and its time beside that of fp32."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sr.upscale.engines.engine import Engine, EngineError
from sr.upscale.engines.trial import seconds_of, trial_tile

# dB from fp32 below which int8 is refused. An image that is itself 30 dB from the truth, as enlarged photographs are,
# loses up to .4 dB by an error of 40 dB, and up to .1 dB by one of 46 dB.
LEAST = 40.0
ROUNDS = 5
# Shares of the time of fp32 from which int8 counts as no faster, and as hardly faster.
NO_FASTER, HARDLY_FASTER = 1.0, 0.8


@dataclass(frozen=True)
class Cost:
    """What was measured.

    Attributes:
        decibels: the PSNR between the results of int8 and of torch in fp32, from the mean squared error over all tiles
            and for values from 0 to 1; infinite where they are equal.
        tiles: the number of tiles.
        side: the side of the tile that was timed, in pixels of the input.
        seconds: the fastest run of int8.
        others: engine -> its fastest run.
    """

    decibels: float
    tiles: int
    side: int
    seconds: float
    others: Mapping[str, float]

    def check(self) -> None:
        """Raises EngineError where int8 is too coarse for this net."""
        if not self.decibels >= LEAST:  # NaN fails this comparison too
            raise EngineError(
                f"int8 is too coarse for this net: {self.decibels:.1f} dB from fp32 on {self.tiles} tiles that it was"
                f" not calibrated with, and at least {LEAST:.0f} dB are needed"
            )

    def __str__(self) -> str:
        shares = {title: self.seconds / seconds for title, seconds in self.others.items()}
        least = max(shares.values())  # beside the fastest of the others
        gain = "takes"
        if least >= HARDLY_FASTER:
            gain = f"is {'not' if least >= NO_FASTER else 'hardly'} faster here:"
        times = " and ".join(f"{share:.2f} of the time of {title}" for title, share in shares.items())
        return (
            f"int8: {self.decibels:.1f} dB from fp32 on {self.tiles} tiles that it was not calibrated with\n"
            f"int8 {gain} {times} (a tile of {self.side} x {self.side}, {1000 * self.seconds:.0f} ms,"
            f" {torch.get_num_threads()} thread(s))"
        )


@torch.inference_mode()
def cost_of(engine: Engine, *, reference: Engine, others: Sequence[Engine], tiles: Sequence[Tensor]) -> Cost:
    """Compare an engine in int8 with engines in fp32.

    Args:
        engine: the engine in int8.
        reference: torch in fp32.
        others: further engines in fp32, which are timed.
        tiles: tiles that the calibration has not seen, each (N, C, H, W) float32.
    """
    squares, count = 0.0, 0
    for tile in tiles:
        error = (engine(tile) - reference(tile)).double()
        squares, count = squares + float(error.square().sum()), count + error.numel()
    tile = trial_tile(reference, channels=tiles[0].shape[1], device=tiles[0].device)
    timed = [engine, reference, *others]
    for each in timed:
        each(tile)  # allocates
    # Alternating, so that what else the machine does meets all of them.
    rounds = [[seconds_of(each, tile) for each in timed] for _ in range(ROUNDS)]
    fastest, *fastest_of_others = (min(times) for times in zip(*rounds, strict=True))
    return Cost(
        decibels=-10 * math.log10(squares / count) if squares else math.inf,
        tiles=len(tiles),
        side=tile.shape[-1],
        seconds=fastest,
        others=dict(zip((each.title for each in timed[1:]), fastest_of_others, strict=True)),
    )
