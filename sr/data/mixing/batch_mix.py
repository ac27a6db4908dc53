"""Mixing the pairs of a batch with one another: by chance one of several mixes, or none."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from torch import Tensor

from sr.data.collating import VALID
from sr.data.mixing.regions import Images

WHOLE = 1e-3  # what rounding and resizing leave of a share of 1
PICTURES = ("lr", "hr", "target")  # what of a batch is mixed


class Mix(Protocol):
    """A way to mix the pairs of a batch.

    Attributes:
        needs_others: whether it mixes an image with another one, so that a batch of one has nothing to mix.
    """

    needs_others: bool

    def __call__(self, images: Images, *, rng: np.random.Generator) -> Images:
        """Mix (N, C, H, W) images in [0, 1], by name; HR and target are whole times as large as LR."""


class ChosenMix:
    """A mix and how often it is taken.

    Args:
        probability: the share of the iterations, in [0, 1].
        mix: the mix.

    Raises:
        ValueError: `probability` is out of its range.
    """

    def __init__(self, *, probability: float, mix: Mix) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"probability={probability} of {type(mix).__name__} must be in [0, 1]")
        self.probability = probability
        self.mix = mix


class BatchMix:
    """In each iteration one of the mixes, or none; what is drawn follows from (seed, process, iteration) alone.

    Args:
        mixes: the mixes by name. What their probabilities lack to 1 is that of no mix.
        batch_size: the number of pairs in a batch.
        seed: the seed of the run.

    Raises:
        ValueError: the probabilities add up to more than 1, or a batch has one pair where a mix needs two.
        TypeError: a mix is of another kind.
    """

    def __init__(self, *, mixes: Mapping[str, ChosenMix], batch_size: int, seed: int) -> None:
        for name, chosen in mixes.items():
            if not isinstance(chosen, ChosenMix):
                raise TypeError(f"mixing[{name!r}] is {chosen!r}, not a ChosenMix")
            if chosen.mix.needs_others and batch_size < 2:
                alone = [other for other, each in mixes.items() if not each.mix.needs_others] or ["cutblur"]
                raise ValueError(
                    f"data.batch_size={batch_size}: mixing.{name} mixes an image with another one of its batch:"
                    f" raise data.batch_size, or write mixing=[{','.join(alone)}]"
                )
        total = sum(chosen.probability for chosen in mixes.values())
        if total > 1 + 1e-9:
            shown = ", ".join(f"{name} {chosen.probability}" for name, chosen in mixes.items())
            raise ValueError(f"mixing: the probabilities ({shown}) add up to {total:g}, which is more than 1")
        self._mixes = [chosen.mix for chosen in mixes.values()]
        self._bounds = np.cumsum([chosen.probability for chosen in mixes.values()])
        self.seed = seed

    def __call__(self, batch: Mapping[str, Any], *, process: int, iteration: int) -> dict[str, Any]:
        """Mix a batch of training; the batch itself is left as it is.

        Args:
            batch: "lr", "hr" and perhaps "target", (N, C, H, W) in [0, 1], and perhaps "valid", which says where HR has
                data: a pixel of a mixture has data where all its parts have. Everything else is passed on.
            process: the rank of this process among all processes.
            iteration: the iteration, counted from 0.
        """
        # The key keeps what is drawn here apart from what nets draw in the same iteration.
        rng = np.random.default_rng(np.random.SeedSequence((self.seed, process, iteration), spawn_key=(1,)))
        number = int(np.searchsorted(self._bounds, rng.random(), side="right"))
        if number == len(self._mixes):
            return dict(batch)
        images: dict[str, Tensor] = {name: batch[name] for name in PICTURES if name in batch}
        if VALID in batch:
            images[VALID] = batch[VALID].float()
        mixed = self._mixes[number](images, rng=rng)
        if VALID in mixed:
            mixed = {**mixed, VALID: mixed[VALID] > 1 - WHOLE}
        return {**batch, **mixed}
