"""The classical degradation: MATLAB's bicubic resize and nothing else."""

from sr.degradations.pipeline import Degradation
from sr.degradations.resize import MatlabBicubic


class BicubicDegradation(Degradation):
    """Antialiased bicubic downscaling and rounding to 8 bits, as the LR images of the benchmarks are made.

    Args:
        scale: factor by which height and width shrink.
    """

    def __init__(self, *, scale: int) -> None:
        # The margin is half the width of the stretched kernel: with so many HR pixels around it, a patch degrades
        # exactly as if the whole image had been degraded and the patch cut out afterwards.
        super().__init__(scale=scale, margin=2 * scale, stages={"bicubic": MatlabBicubic(scale=scale)})
