import multiprocessing
import time
from pathlib import Path

import lightning as L
import pytest
from lightning.pytorch.demos.boring_classes import BoringModel, RandomDataset
from torch.utils.data import Dataset

from sr.data.loading import TimedLoader


class Slow(Dataset[int]):
    """Samples that take a while, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        time.sleep(self.seconds)
        return index


def test_without_workers_one_waits_for_the_loading_alone() -> None:
    loader = TimedLoader(Slow(0.02), batch_size=2)
    for _ in loader:
        assert 0.04 <= loader.last_wait < 0.5
        time.sleep(0.5)  # what the consumer does meanwhile is no waiting


def test_a_batch_that_a_worker_has_ready_is_not_waited_for() -> None:
    batches = iter(loader := TimedLoader(Slow(0.2), num_workers=1))
    next(batches)
    assert loader.last_wait > 0.1
    time.sleep(0.7)
    next(batches)
    assert loader.last_wait < 0.1


@pytest.mark.parametrize("workers", [0, 1])
def test_every_epoch_is_whole(workers: int) -> None:
    loader = TimedLoader(Slow(0), num_workers=workers, persistent_workers=workers > 0)
    assert len(loader) == 4
    for _ in range(2):
        assert [int(batch) for batch in loader] == [0, 1, 2, 3]


def test_workers_start_with_the_iterator() -> None:
    before = len(multiprocessing.active_children())
    batches = iter(TimedLoader(Slow(0), num_workers=1))
    assert len(multiprocessing.active_children()) == before + 1
    assert int(next(batches)) == 0


def test_lightning_keeps_the_class_where_it_exchanges_the_sampler(tmp_path: Path) -> None:
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=1,
        overfit_batches=1,
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    loader = TimedLoader(RandomDataset(32, 4), shuffle=True)
    with pytest.warns(UserWarning, match="disables shuffling|overfit"):
        trainer.fit(BoringModel(), loader)
    assert trainer.train_dataloader is not loader
    assert type(trainer.train_dataloader) is TimedLoader
    assert trainer.train_dataloader.last_wait > 0
