"""Every image once in a lap, few shards at a time, and all of it a function of (seed, lap)."""

import numpy as np
import pytest

from sr.data.sampler import Draw, EndlessSampler
from sr.data.shards.order import ShardOrder

SHARDS, EACH = 40, 25
SHARD_OF = np.repeat(np.arange(SHARDS), EACH)


def order(at_once: int = 4, seed: int = 0) -> ShardOrder:
    return ShardOrder(shard_of=SHARD_OF, shards_at_once=at_once, seed=seed)


def test_a_lap_has_every_image_once_in_an_order_of_its_own() -> None:
    laps = [order()(lap) for lap in range(3)]
    for lap in laps:
        assert sorted(lap) == list(range(SHARDS * EACH))
    assert not np.array_equal(laps[0], laps[1])
    assert np.array_equal(order()(1), laps[1])
    assert not np.array_equal(order(seed=1)(1), laps[1])


@pytest.mark.parametrize("at_once", [1, 4, 8])
def test_few_shards_are_in_use_at_a_time(at_once: int) -> None:
    shards = SHARD_OF[order(at_once)(0)]
    first = {shard: int(np.flatnonzero(shards == shard)[0]) for shard in range(SHARDS)}
    last = {shard: int(np.flatnonzero(shards == shard)[-1]) for shard in range(SHARDS)}
    in_use = [sum(first[s] <= place <= last[s] for s in range(SHARDS)) for place in range(len(shards))]
    assert max(in_use) <= at_once + 1
    assert in_use[0] == 1


def test_neighbours_come_from_several_shards() -> None:
    shards = SHARD_OF[order(8)(0)]
    middle = shards[300:700].reshape(-1, 16)
    assert np.mean([len(set(batch)) for batch in middle]) > 5


def test_upcoming_shards_are_those_that_come(monkeypatch: pytest.MonkeyPatch) -> None:
    found = order()
    stream = np.concatenate([SHARD_OF[found(0)], SHARD_OF[found(1)]])
    for position in (0, 100, 500, 990):
        begun: list[int] = []
        seen = set(stream[: position + 1]) if position < 1000 else set()
        for place in range(position + 1, 2000):
            if place == 1000:
                seen = set()  # a new lap begins with them again
            if stream[place] not in seen:
                seen.add(stream[place])
                begun.append(int(stream[place]))
        assert [int(shard) for shard in found.upcoming(position, count=3)] == begun[:3]


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_each_sample_once_per_lap_over_all_processes_and_the_stream_goes_on_anywhere(world_size: int) -> None:
    def stream(rank: int, start: int) -> list[Draw]:
        return list(
            EndlessSampler(
                num_images=SHARDS * EACH,
                batch_size=4,
                iterations_per_epoch=-(-SHARDS * EACH // (4 * world_size)),
                seed=0,
                rank=rank,
                world_size=world_size,
                order=order(),
                behind=lambda: start,
            )
        )

    together = [draw for rank in range(world_size) for draw in stream(rank, 0)]
    first_lap = [draw for draw in together if draw.seed[1] < SHARDS * EACH]
    assert sorted(draw.image for draw in first_lap) == list(range(SHARDS * EACH))
    assert stream(0, 7)[:20] == stream(0, 0)[28:48]
