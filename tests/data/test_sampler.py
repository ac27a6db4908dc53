from collections import Counter

import pytest

from sr.data.sampler import EndlessSampler


def stream(*, epochs: int = 3, start: int = 0, **changes: int) -> list:
    """Of whole epochs, from an iteration on."""
    settings = {"num_images": 7, "batch_size": 4, "iterations_per_epoch": 5, "seed": 1} | changes
    draws: list = []
    sampler = EndlessSampler(**settings, behind=lambda: start + len(draws) // settings["batch_size"])
    for _ in range(epochs):
        draws += list(sampler)
    return draws


def test_epochs_continue_one_stream_that_visits_every_image_equally() -> None:
    draws = stream()
    assert len(draws) == 3 * 5 * 4
    assert [draw.seed for draw in draws] == [(1, position) for position in range(60)]
    for lap in range(8):
        assert Counter(draw.image for draw in draws[lap * 7 : lap * 7 + 7]) == Counter(range(7))
    assert stream(iterations_per_epoch=15, epochs=1) == draws


@pytest.mark.parametrize("start", [1, 5, 13])
def test_the_stream_goes_on_anywhere(start: int) -> None:
    assert stream(start=start, epochs=2) == stream(epochs=6)[4 * start :][: 2 * 5 * 4]


def test_seed_decides() -> None:
    assert stream() == stream()
    assert [draw.image for draw in stream(seed=2)] != [draw.image for draw in stream()]
    assert stream()[0].rng().random() == stream()[0].rng().random()
    assert len({draw.rng().random() for draw in stream()}) == 60


@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_share_the_batches_of_one(world_size: int) -> None:
    parts = [
        stream(batch_size=4 // world_size, rank=rank, world_size=world_size) for rank in range(world_size)
    ]
    size = 4 // world_size
    together = []
    for start in range(0, len(parts[0]), size):
        for part in parts:
            together += part[start : start + size]
    assert together == stream()


def test_without_a_length_an_epoch_is_one_pass() -> None:
    sampler = EndlessSampler(num_images=10, batch_size=2, iterations_per_epoch=None, seed=0, world_size=2)
    assert sampler.iterations_per_epoch == 3
    assert len(sampler) == 6
