"""Batches that are degraded at random: repeatable, and every sample by itself."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import compose_config
from hydra.utils import instantiate
from small_data import batches, folder

from sr.cli.errors import explain
from sr.cli.hydra_errors import explain_hydra
from sr.data.origins import FolderData
from sr.degradations.bicubic import BicubicDegradation
from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError
from sr.degradations.resize import MatlabBicubic, RandomResize
from sr.degradations.sharpen import UnsharpMask


def test_random_validation_is_frozen(photos: Path) -> None:
    """Neither the seed of the run nor the number of workers nor the last validation changes an LR image."""
    degradation = instantiate(compose_config("degradation=realesrgan").degradation)

    def validation(**changes: Any) -> list[torch.Tensor]:
        data = folder(photos, **{"degradation": degradation} | changes)
        next(iter(data.train_dataloader()))  # training draws too
        loader = data.val_dataloader()
        first, again = ([batch["lr"] for batch in loader] for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
        return first

    runs = [validation(), validation(seed=7), validation(num_workers=2)]
    runs.append(validation(degradation=BicubicDegradation(scale=4), val_degradation=degradation))
    for lr in zip(*runs, strict=True):
        assert all(torch.equal(lr[0], other) for other in lr)
    other = validation(val_seed=1)
    assert not any(torch.equal(a, b) for a, b in zip(runs[0], other, strict=True))


def blind(photos: Path, **changes: Any) -> FolderData:
    chain: Degradation = instantiate(compose_config("degradation=realesrgan").degradation)
    return folder(photos, degradation=chain, iterations_per_epoch=3, sharpen=UnsharpMask(), **changes)


def test_blind_batches_are_the_same_with_any_number_of_workers(photos: Path) -> None:
    alone, together = (batches(blind(photos, num_workers=n)) for n in (0, 2))
    for a, b in zip(alone, together, strict=True):
        assert set(a) == {"lr", "hr", "target"}
        assert all(torch.equal(a[key], b[key]) for key in a)


def test_every_sample_of_a_batch_is_degraded_by_itself(photos: Path) -> None:
    """The same patch, several times in a batch, comes out differently each time."""
    one = blind(photos, train_dir=str(photos / "deep"), hr_patch_size=64)
    lr = batches(one)[0]["lr"]
    assert len({image.numpy().tobytes() for image in lr}) == 3
    assert lr.flatten(1).std(dim=1).std() > 1e-3


@dataclass(frozen=True)
class Fragile:
    """Takes the noise that a degradation is tried with, and no photograph."""

    def draw(self, rng: np.random.Generator) -> "Fragile":
        return self

    def __call__(self, image: np.ndarray, *, hr_size: tuple[int, int]) -> np.ndarray:
        if image.std() < 0.25:
            raise ValueError("too smooth")
        return image


def test_a_degradation_that_can_never_work_is_found_at_once(photos: Path) -> None:
    never_lr = {"resize": RandomResize(directions={"down": 1.0}, factor=[0.5, 1])}
    chain = Degradation(scale=4, margin=8, stages=never_lr)
    for key in ("degradation", "val_degradation"):
        with pytest.raises(DegradationError, match=r"there must be a sr.degradations.resize.ResizeToLR"):
            folder(photos, **{key: chain})


def test_a_sample_that_fails_in_a_worker_names_the_file_and_what_was_drawn(photos: Path) -> None:
    chain = Degradation(scale=4, margin=8, stages={"fragile": Fragile(), "lr": MatlabBicubic(scale=4)})
    data = folder(photos, degradation=chain, num_workers=1)
    with pytest.raises(DegradationError) as caught:
        batches(data)
    message = explain(caught.value, explain_hydra)
    assert message is not None
    assert re.match(r'(a|b|d|deep/c): .*fragile failed: too smooth; the draws were \{"version": 2', message)
    assert "Traceback" not in message
