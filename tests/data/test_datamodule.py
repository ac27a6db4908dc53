"""Batches of training and validation, and settings that are refused before training starts."""

from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import compose_config, picture
from small_data import SHARED, batches, folder

from sr.data.origins import PairedData
from sr.degradations.bicubic import BicubicDegradation
from sr.degradations.sharpen import UnsharpMask
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png


def test_batches_are_the_same_with_any_number_of_workers(photos: Path) -> None:
    alone, together = (batches(folder(photos, iterations_per_epoch=4, num_workers=n)) for n in (0, 2))
    assert len(alone) == 4
    for a, b in zip(alone, together, strict=True):
        assert a["hr"].shape == (3, 3, 32, 32)
        assert torch.equal(a["lr"], b["lr"])
        assert torch.equal(a["hr"], b["hr"])


def test_training_can_tell_how_long_it_waits(photos: Path) -> None:
    """The callback is silent with a loader that does not measure."""
    loader: Any = folder(photos).train_dataloader()
    next(iter(loader))
    assert loader.last_wait > 0
    assert "data_wait" in compose_config().callbacks


def test_the_seed_decides(photos: Path) -> None:
    first, again, other = (batches(folder(photos, seed=seed))[0]["hr"] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_epoch_without_a_length_passes_once_over_the_images(photos: Path) -> None:
    assert len(batches(folder(photos))) == 2  # 4 images, 3 per batch


def test_validation_without_a_directory_takes_the_shipped_photographs(photos: Path) -> None:
    names = [batch["name"][0] for batch in folder(photos, val_dir=None).val_dataloader()]
    assert names == ["chelsea", "coffee", "rocket"]


def test_skipped_files_are_counted_at_the_end(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = (photos / "b.png").read_bytes()
    (photos / "b.png").write_bytes(data[: len(data) // 2])  # its header is still good
    module = folder(photos, on_error="skip", iterations_per_epoch=4, num_workers=1, val_dir=None)
    assert len(batches(module)) == 4
    module.teardown("fit")
    assert "1 of 4 training images were skipped as unreadable" in caplog.text
    with pytest.raises(UnreadableImageError, match=r"b\.png: truncated or damaged"):
        batches(folder(photos, iterations_per_epoch=4, num_workers=1, val_dir=None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hr_patch_size": 30}, r"data\.hr_patch_size=30 must be a multiple of scale=4"),
        ({"batch_size": 0}, r"data\.batch_size=0"),
        ({"num_workers": -1}, r"data\.num_workers=-1"),
        ({"iterations_per_epoch": 0}, r"data\.iterations_per_epoch=0"),
        ({"on_error": "ignore"}, r"data\.on_error='ignore': choose one of raise, skip"),
        ({"small_images": "drop"}, r"data\.small_images='drop': choose one of raise, pad"),
        ({"hr_patch_size": 128}, r"smaller than a patch of 128"),
        ({"degradation": None}, r"data\.degradation=null"),
    ],
)
def test_mistakes_are_named(photos: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        folder(photos, **changes)


def test_a_broken_validation_image_shows_before_training(photos: Path, tmp_path: Path) -> None:
    write_png(tmp_path / "val" / "fine.png", picture(64, 64))
    data = (tmp_path / "val" / "fine.png").read_bytes()
    (tmp_path / "val" / "half.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableImageError, match=r"half\.png: truncated or damaged"):
        folder(photos, val_dir=str(tmp_path / "val")).check_validation(smallest=19)
    write_png(tmp_path / "val" / "half.png", picture(18, 40))
    with pytest.raises(ValueError, match=r"half: 40 x 16 pixels; the metric needs 19 on each side"):
        folder(photos, val_dir=str(tmp_path / "val")).check_validation(smallest=19)
    write_png(tmp_path / "val" / "half.png", picture(20, 40))
    folder(photos, val_dir=str(tmp_path / "val")).check_validation(smallest=19)
    (tmp_path / "val" / "half.bmp").write_bytes((tmp_path / "val" / "half.png").read_bytes())
    with pytest.raises(ValueError, match="several images have the name half"):
        folder(photos, val_dir=str(tmp_path / "val")).check_validation(smallest=19)


def test_lr_that_are_hr_are_nothing_to_learn(photos: Path) -> None:
    same = {"scale": 1, "degradation": BicubicDegradation(scale=1)}
    with pytest.raises(
        ValueError, match=r"scale=1: this degradation leaves images as they are.*nothing to learn"
    ):
        folder(photos, **same)
    folder(photos, **same, sharpen=UnsharpMask(weight=0.5, radius=5, threshold=10))
    pairs = {"train_dir": str(photos), "train_lr_dir": str(photos)}
    PairedData(**SHARED | same | pairs | {"val_dir": str(photos), "val_lr_dir": str(photos)})
    with pytest.raises(ValueError, match=r"nothing to validate on: .* \(data\.val_dir and data\.val_lr_dir"):
        PairedData(**SHARED | same | pairs | {"val_dir": str(photos)})  # its validation would
