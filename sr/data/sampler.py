"""An endless, seeded stream of training samples, which goes on wherever a run is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch.utils.data import Sampler


@dataclass(frozen=True)
class Draw:
    """One training sample: the index of its image, and the seed of everything random about it."""

    image: int
    seed: tuple[int, int]

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


def shuffled(lap: int, *, num_images: int, seed: int) -> np.ndarray:
    """The images in the order in which pass number `lap` over them takes them: each once."""
    return np.random.default_rng((seed, lap)).permutation(num_images)


class EndlessSampler(Sampler[Draw]):
    """Sample number p of the stream is image `order(p // images)[p % images]`, with the randomness of (seed, p).

    Nothing depends on the number of workers. With several processes every global batch is the one that a single
    process with the whole batch would see, each process taking its part.

    Args:
        num_images: the number of images.
        batch_size: samples per process and iteration.
        iterations_per_epoch: length of an epoch; None passes over the images once (rounded up).
        seed: the seed of the run.
        rank: the index of this process.
        world_size: the number of processes.
        order: a function lap -> every image once; None takes `shuffled`.
        behind: a function that is called when an epoch, or the rest of one, begins, and that returns the number of
            iterations that the run has finished.
    """

    def __init__(
        self,
        *,
        num_images: int,
        batch_size: int,
        iterations_per_epoch: int | None,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        order: Callable[[int], np.ndarray] | None = None,
        behind: Callable[[], int] = lambda: 0,
    ) -> None:
        self.num_images = num_images
        self.batch_size = batch_size
        self.global_batch_size = batch_size * world_size
        self.iterations_per_epoch = iterations_per_epoch or -(-num_images // self.global_batch_size)
        self.seed = seed
        self.rank = rank
        self.order = order or partial(shuffled, num_images=num_images, seed=seed)
        self.behind = behind

    def __len__(self) -> int:
        return self.iterations_per_epoch * self.batch_size

    def __iter__(self) -> Iterator[Draw]:
        first = self.behind()
        order, order_of = np.empty(0, np.int64), -1
        for iteration in range(first, first + self.iterations_per_epoch):
            start = iteration * self.global_batch_size + self.rank * self.batch_size
            for position in range(start, start + self.batch_size):
                lap, place = divmod(position, self.num_images)
                if lap != order_of:
                    order, order_of = self.order(lap), lap
                yield Draw(image=int(order[place]), seed=(self.seed, position))
