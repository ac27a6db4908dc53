"""data=shards from the configuration on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers import compose_config, small_gan
from hydra.utils import instantiate

from sr.data.shards.index import Shard
from sr.programs.train import train


def data(url: str | Path, *changes: str):  # type: ignore[no-untyped-def]
    settings = ["data=shards", f"data.url={url}", "data.hr_patch_size=32", "data.batch_size=3"]
    settings += ["data.iterations_per_epoch=8", "data.shards_at_once=2"]
    return instantiate(compose_config(*settings, "data.num_workers=0", *changes).data)


def batches(module) -> list[torch.Tensor]:  # type: ignore[no-untyped-def]
    return [batch["hr"] for batch in module.train_dataloader()]


def test_workers_change_nothing(packed: list[Shard], tmp_path: Path) -> None:
    alone = batches(data(tmp_path / "shards"))
    helped = batches(data(tmp_path / "shards", "data.num_workers=2"))
    assert all(torch.equal(one, other) for one, other in zip(alone, helped, strict=True))


def test_storage_changes_nothing(packed: list[Shard], tmp_path: Path, served: Callable[[], str]) -> None:
    local = batches(data(tmp_path / "shards"))
    away = batches(data(served(), f"data.cache_dir={tmp_path}/cache"))
    assert all(torch.equal(one, other) for one, other in zip(local, away, strict=True))


def test_what_does_not_fit_is_said(packed: list[Shard], tmp_path: Path, served: Callable[[], str]) -> None:
    for changes, message in (
        (["data.hr_patch_size=64"], r"in .* has 48 x 40 pixels, less than a patch of 64"),
        (["data.shards_at_once=0"], r"data\.shards_at_once=0 must be 1 or more"),
        (["data.cache_dir=/x"], r"data\.cache_dir=/x is where shards of object storage are kept"),
        (["data.url=''"], "the url of the shards is empty"),
    ):
        with pytest.raises(Exception, match=message):
            data(tmp_path / "shards", *changes)
    with pytest.raises(Exception, match=r"data\.cache_gb=1e-05"):
        data(served(), f"data.cache_dir={tmp_path}/cache", "data.cache_gb=0.00001")


def test_a_run_is_resumed_in_the_middle_of_a_lap(packed: list[Shard], tmp_path: Path, photos: Path) -> None:
    small = [
        each
        for each in small_gan(tmp_path)
        if not each.startswith(("data.num_im", "data.image_s", "run_dir"))
    ]
    settings = [*small, "data=shards", f"data.url={tmp_path}/shards", "data.shards_at_once=2"]
    settings += [f"data.val_dir={photos}", "scheduler_g.T_max=9"]
    train(compose_config(*settings, f"run_dir={tmp_path}/whole", "trainer.max_steps=7"))
    for steps in (4, 7):
        train(
            compose_config(*settings, f"run_dir={tmp_path}/run", f"trainer.max_steps={steps}", "resume=auto")
        )
    found, expected = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)
        for name in ("run", "whole")
    )
    assert all(torch.equal(value, expected["state_dict"][key]) for key, value in found["state_dict"].items())
