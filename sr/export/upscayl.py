"""An ncnn net for Upscayl's folder of custom models.

Upscayl takes a folder that is named `models`, lists the pairs of .param and .bin in it, and tells the scale of each by
its name: `2x` or `x2`, `3x` or `x3`, and otherwise 4. Its program upscayl-ncnn reads the name too, from 1 upwards, and
feeds the blob `data` with RGB in [0, 1] and takes the blob `output`. It reads fp16, in which it computes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from torch import Tensor

from sr.export.ncnn_graph import Ncnn
from sr.weights.generator import TrainedGenerator

FOLDER = "models"
SCALES = (2, 3, 4)
NAMED = (1, 2, 3, 4, 8)  # factors that a program may find in a name
RGB = 3


class Upscayl:
    """The files of `Ncnn`, in fp16 unless another type is asked for."""

    parts: tuple[str, ...] = Ncnn.parts
    tolerance: Mapping[str, float] = MappingProxyType(dict(reversed(list(Ncnn.tolerance.items()))))
    packages: tuple[str, ...] = Ncnn.packages
    extra: str = Ncnn.extra

    def encode(
        self, trained: TrainedGenerator, card: Mapping[str, str], *, dtype: str = "fp16"
    ) -> dict[str, bytes]:
        return Ncnn().encode(trained, card, dtype=dtype)

    def load(self, path: Path, *, trust: Sequence[str] = ()) -> Callable[[Tensor], Tensor]:
        return Ncnn().load(path, trust=trust)


def check_upscayl(out: Path, trained: TrainedGenerator) -> None:
    """Raises ValueError for a place, a name or a net with which Upscayl would do something else."""
    if trained.scale not in SCALES:
        raise ValueError(
            f"Upscayl has nets for x2, x3 and x4, and this {trained.name} is for x{trained.scale}"
        )
    if trained.channels != RGB or trained.normalise:
        what = "data.normalise" if trained.normalise else f"{trained.channels} channel(s)"
        raise ValueError(
            f"Upscayl gives a net RGB in [0, 1], and this {trained.name} was trained with {what}"
        )
    if out.absolute().parent.name != FOLDER:
        raise ValueError(
            f"--out={out}: Upscayl takes a folder with the name {FOLDER} alone: name"
            f" {out.parent / FOLDER / out.name}"
        )
    found = [
        factor for factor in NAMED if f"x{factor}" in out.stem.lower() or f"{factor}x" in out.stem.lower()
    ]
    if found != [trained.scale]:
        said = ", ".join(f"x{factor}" for factor in found) or "no factor"
        raise ValueError(
            f"--out={out}: Upscayl tells the scale by the name, which has {said}: for this net it must have"
            f" x{trained.scale} alone, as in {FOLDER}/photo-x{trained.scale}{out.suffix}"
        )
