"""What is collected of a validation, image by image."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sr.archs.bicubic import upsample_bicubic
from sr.callbacks.validation_images import ValidationImages
from sr.loggers.validated import ValidatedSet
from sr.metrics.protocol import Protocol
from sr.ops.image import viewable

METRIC = Protocol(crop_border=4, spaces=("y",), mse=False)


def batch(index: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(index)
    hr = torch.rand(1, 3, 40, 48, generator=generator)
    lr = torch.nn.functional.avg_pool2d(hr, 4)
    return {"lr": lr, "hr": hr, "index": torch.tensor([index]), "name": [f"image{index}"]}


class Processes:
    """Trainers of processes that take turns: each gets what the others have sent at the same point of their turn."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.sent: dict[tuple[int, int], dict[int, Any]] = {}
        self.trainers = [
            SimpleNamespace(
                global_rank=rank,
                world_size=count,
                global_step=50,
                strategy=SimpleNamespace(broadcast=self._broadcast(rank)),
            )
            for rank in range(count)
        ]

    def _broadcast(self, rank: int) -> Any:
        calls = 0

        def broadcast(mine: dict[int, Any], src: int) -> dict[int, Any]:
            nonlocal calls
            point = calls // self.count % 2  # numbers first, then pictures
            calls += 1
            if src == rank:
                self.sent[src, point] = mine
            return self.sent.get((src, point), {})

        return broadcast


def collect(psnr: dict[int, float], *, count: int = 1, largest: int | None = None) -> ValidationImages:
    images = ValidationImages(count=count, largest=largest, metric=METRIC, monitor="psnr_y")
    for index, value in psnr.items():
        given = batch(index)
        values = {"psnr_y": torch.tensor([value]), "ssim_y": torch.tensor([0.5])}
        images.add(given, sr=given["hr"] / 2, values=values)
    return images


def take(images: ValidationImages) -> ValidatedSet:
    return images.take(Processes(1).trainers[0])  # type: ignore[arg-type]


def test_the_first_the_worst_and_the_best_have_pictures() -> None:
    images = collect({0: 30.0, 1: 25.0, 2: 20.0, 3: 28.0, 4: 40.0})
    assert sorted(images._kept) == [0, 2, 4]  # no more is held while a validation goes on
    found = take(images)
    assert [image.index for image in found.images] == [0, 1, 2, 3, 4]
    assert [image.index for image in found.images if image.pictures] == [0, 2, 4]
    assert found.images[1].values == {"psnr_y": 25.0, "ssim_y": 0.5}
    assert not images._images  # the next validation begins anew
    assert not images._kept


def test_an_image_without_a_value_is_no_reason_to_forget_others() -> None:
    found = take(collect({0: 30.0, 1: float("nan"), 2: 20.0, 3: 25.0}))
    assert [image.index for image in found.images if image.pictures] == [0, 2]
    assert [image.index for _, image, _ in found.extremes()] == [2, 0]


def test_pictures_are_the_four_versions() -> None:
    (image, _) = take(collect({0: 30.0, 1: 20.0})).images
    given = batch(0)
    bicubic = upsample_bicubic(given["lr"], scale=4)
    assert image.pictures is not None
    np.testing.assert_array_equal(image.pictures.hr, viewable(given["hr"][0]))
    np.testing.assert_array_equal(image.pictures.sr, viewable(given["hr"][0] / 2))
    np.testing.assert_array_equal(image.pictures.bicubic, viewable(bicubic[0]))
    np.testing.assert_array_equal(
        image.pictures.lr, viewable(given["lr"][0]).repeat(4, axis=0).repeat(4, axis=1)
    )
    assert image.bicubic["psnr_y"] == METRIC(bicubic, given["hr"])["psnr_y"].item()


@pytest.mark.parametrize(("largest", "size"), [(None, (40, 48)), (44, (40, 44)), (20, (20, 20))])
def test_large_pictures_show_their_middle(largest: int | None, size: tuple[int, int]) -> None:
    (image,) = take(collect({0: 30.0}, largest=largest)).images
    assert image.pictures is not None
    whole = viewable(batch(0)["hr"][0])
    top, left = (40 - size[0]) // 2, (48 - size[1]) // 2
    np.testing.assert_array_equal(image.pictures.hr, whole[top : top + size[0], left : left + size[1]])


def test_no_pictures_where_none_are_wanted() -> None:
    images = collect({0: 30.0, 1: 20.0}, count=0)
    assert not images._kept
    assert [image.pictures for image in take(images).images] == [None, None]


def test_worst_and_best_are_those_of_all_processes() -> None:
    """The second one has the best, and both have an image that the sampler repeats."""
    processes = Processes(2)
    shares = [{0: 30.0, 2: 20.0, 4: 31.0}, {1: 25.0, 3: 40.0, 0: 30.0}]
    # Twice, because a process that takes its turn first does not know what the second will send.
    for _ in range(2):
        taken = [
            collect(share).take(trainer)  # type: ignore[arg-type]
            for share, trainer in zip(shares, processes.trainers, strict=True)
        ]
    found = taken[0]
    assert [image.index for image in found.images] == [0, 1, 2, 3, 4]
    assert [(word, image.index) for word, image, _ in found.extremes()] == [("worst", 2), ("best", 3)]
    assert [image.index for image, _ in found.always_shown()] == [0]
