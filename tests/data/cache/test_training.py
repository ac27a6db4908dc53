"""Lightning opens a cache when training begins, and on one process first."""

from collections.abc import Iterator
from pathlib import Path

import lightning as L
import pytest
import torch
from caches import folder
from helpers import run_program
from small_data import batches

from sr.pictures.picture import UnreadableImageError


class Hooks(L.LightningModule):
    """Notes in which order things happen."""

    def __init__(self) -> None:
        super().__init__()
        self.net = torch.nn.Linear(1, 1)
        self.seen: list[torch.Tensor] = []

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        self.seen.append(batch["hr"])
        return self.net(batch["lr"].mean().view(1, 1)).sum()

    def validation_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> None: ...

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[L.Trainer]:
    yield L.Trainer(
        accelerator="cpu",
        devices=1,
        max_steps=4,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )


def test_validation_needs_no_cache(photos: Path, trainer: L.Trainer, reads: list[str]) -> None:
    trainer.validate(Hooks(), datamodule=folder(photos, "disk"), verbose=False)
    assert not reads
    module = Hooks()
    trainer.fit(module, datamodule=folder(photos, "disk"))
    assert len(reads) == 4
    expected = [batch["hr"] for batch in batches(folder(photos, "none"))]
    assert all(torch.equal(a, b) for a, b in zip(module.seen, expected, strict=True))


def test_an_unreadable_file_ends_the_run_before_it_begins(photos: Path, trainer: L.Trainer) -> None:
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:-300])
    module = Hooks()
    with pytest.raises(UnreadableImageError, match=r"b\.png"):
        trainer.fit(module, datamodule=folder(photos, "disk", val_dir=None))
    assert not module.seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["disk", "ram"])
def test_two_processes_train_on_one_cache(photos: Path, tmp_path: Path, kind: str) -> None:
    def trained(kind: str) -> str:
        done = run_program(
            *("train.py", "experiment=quickstart", "data=folder", f"data.train_dir={photos}"),
            *(f"data.val_dir={photos}", f"data.cache={kind}", "data.hr_patch_size=32", "data.num_workers=1"),
            *("generator.num_feat=8", "generator.num_conv=2", "discriminator.num_feat=4", "logger=csv"),
            *(
                "data.batch_size=2",
                "data.iterations_per_epoch=3",
                "trainer.max_steps=3",
                "trainer.max_epochs=1",
            ),
            *("trainer.accelerator=cpu", "trainer.devices=2", f"hydra.run.dir={tmp_path / f'run_{kind}'}"),
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("reading 4 of 4 images") == (kind != "none")
        return (tmp_path / f"run_{kind}" / "metrics.csv").read_text()

    before = set(Path("/dev/shm").iterdir())
    assert trained(kind) == trained("none")
    assert not [path for path in set(Path("/dev/shm").iterdir()) - before if "sr-lightning" in path.name]
