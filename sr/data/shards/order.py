"""The order of images in shards: shuffled, while only a few shards are in use at a time."""

import numpy as np


class ShardOrder:
    """A function lap -> every image once, which depends on (seed, lap) alone.

    The shards come in a random order, the images of each spread over the time in which `shards_at_once` of them begin,
    so that about as many are in use at any moment and one begins when another ends. A lap begins with one shard, so
    training does not wait for several. With no more shards than `shards_at_once`, the order is one shuffle of all
    images, the same as for loose files.

    Args:
        shard_of: the shard of each image.
        shards_at_once: the number of shards that an image is shuffled among.
        seed: the seed of the run.
    """

    def __init__(self, *, shard_of: np.ndarray, shards_at_once: int, seed: int) -> None:
        self.shard_of = shard_of
        self.num_shards = int(shard_of.max()) + 1
        self.shards_at_once = shards_at_once
        self.seed = seed
        self._beginnings: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, lap: int) -> np.ndarray:
        rng = np.random.default_rng((self.seed, lap))
        if self.num_shards <= self.shards_at_once:
            return rng.permutation(len(self.shard_of))
        rank = rng.permutation(self.num_shards)
        moment = rank[self.shard_of] + self.shards_at_once * rng.random(len(self.shard_of))
        return np.argsort(moment, kind="stable")

    def upcoming(self, position: int, *, count: int) -> list[int]:
        """The next shards, `count` at most, that the stream begins after sample number `position`."""
        lap, place = divmod(position, len(self.shard_of))
        places, shards = self._begins(lap)
        begun = int(np.searchsorted(places, place, side="right"))
        found = list(shards[begun : begun + count])
        if len(found) < count:
            found += list(self._begins(lap + 1)[1][: count - len(found)])
        return found

    def _begins(self, lap: int) -> tuple[np.ndarray, np.ndarray]:
        """The ascending positions at which a shard comes for the first time in a lap, and those shards."""
        if lap not in self._beginnings:
            shards, places = np.unique(self.shard_of[self(lap)], return_index=True)
            by_place = np.argsort(places)
            # Batches of two laps can be loading at the same time, and `upcoming` looks at the next lap.
            self._beginnings = {key: value for key, value in self._beginnings.items() if abs(key - lap) <= 1}
            self._beginnings[lap] = places[by_place], shards[by_place]
        return self._beginnings[lap]
