"""Where images come from: directories, pairs, shipped photographs and dead leaves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture
from small_data import SHARED, folder

from sr.data.origins import DeadLeavesData, PairedData, SampleData
from sr.degradations.bicubic import BicubicDegradation
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png


def test_gray_and_many_bands(tmp_path: Path) -> None:
    data = DeadLeavesData(
        **SHARED, degradation=BicubicDegradation(scale=4), channels=1, num_images=2, image_size=48
    )
    assert next(iter(data.train_dataloader()))["lr"].shape == (3, 1, 8, 8)
    assert next(iter(data.val_dataloader()))["hr"].shape[1] == 1
    data = DeadLeavesData(
        **SHARED,
        degradation=BicubicDegradation(scale=4),
        channels=5,
        num_images=2,
        image_size=48,
        val_dir=_bands(tmp_path),
    )
    assert next(iter(data.train_dataloader()))["hr"].shape == (3, 5, 32, 32)
    assert next(iter(data.val_dataloader()))["lr"].shape == (1, 5, 8, 8)


def _bands(directory: Path) -> str:
    import tifffile

    image = np.zeros((32, 32, 5), np.uint16)
    tifffile.imwrite(directory / "a.tif", image, photometric="minisblack", planarconfig="contig")
    return str(directory)


def test_samples_train_on_other_photographs_than_they_validate_on() -> None:
    data = SampleData(
        **SHARED | {"hr_patch_size": 384}, degradation=BicubicDegradation(scale=4), small_images="pad"
    )
    trained = {data._training.images.name(i) for i in range(len(data._training))}
    assert not trained & {batch["name"][0] for batch in data.val_dataloader()}
    assert next(iter(data.train_dataloader()))["hr"].shape == (3, 3, 384, 384)


def paired_dirs(tmp_path: Path, *, lr_size: tuple[int, int] = (12, 16)) -> dict[str, str]:
    write_png(tmp_path / "hr" / "a.png", picture(48, 64))
    write_png(tmp_path / "lr" / "ax4.png", picture(*lr_size))
    return {"train_dir": str(tmp_path / "hr"), "train_lr_dir": str(tmp_path / "lr")}


def test_paired_data_uses_the_given_lr(tmp_path: Path) -> None:
    dirs = paired_dirs(tmp_path)
    data = PairedData(**SHARED, **dirs, val_dir=dirs["train_dir"], val_lr_dir=dirs["train_lr_dir"])
    assert next(iter(data.train_dataloader()))["lr"].shape == (3, 3, 8, 8)
    validation = next(iter(data.val_dataloader()))
    expected = torch.from_numpy(picture(12, 16).transpose(2, 0, 1)).float() / 255
    torch.testing.assert_close(validation["lr"][0], expected)
    sizes = {path.name: path.stat().st_size for path in tmp_path.rglob("*.png")}
    assert data.listing() == [f"hr a.png {sizes['a.png']}", f"lr ax4.png {sizes['ax4.png']}"]


def test_pairs_of_wrong_size_are_named(tmp_path: Path) -> None:
    dirs = paired_dirs(tmp_path, lr_size=(12, 15))
    with pytest.raises(
        ValueError, match=r"ax4\.png of 15 x 12 and .*a\.png of 64 x 48 pixels do not differ by"
    ):
        PairedData(**SHARED, **dirs, degradation=BicubicDegradation(scale=4))


@pytest.mark.parametrize("side", ["hr", "lr"])
def test_a_pair_with_one_bad_file_is_skipped_whole(tmp_path: Path, side: str) -> None:
    dirs = paired_dirs(tmp_path)
    write_png(tmp_path / "hr" / "b.png", picture(48, 48))
    write_png(tmp_path / "lr" / "b.png", picture(12, 12))
    (tmp_path / side / "b.png").write_bytes(b"")
    with pytest.raises(UnreadableImageError, match=r"b\.png: the file is empty"):
        PairedData(**SHARED, **dirs, degradation=BicubicDegradation(scale=4))
    data = PairedData(**SHARED, **dirs, degradation=BicubicDegradation(scale=4), on_error="skip")
    assert [path.name for path in (*data._training.hr.paths, *data._training.lr.paths)] == [
        "a.png",
        "ax4.png",
    ]


def test_lr_for_validation_needs_its_hr(tmp_path: Path) -> None:
    dirs = paired_dirs(tmp_path)
    with pytest.raises(ValueError, match=r"val_lr_dir=.* needs data\.val_dir"):
        PairedData(**SHARED, **dirs, degradation=BicubicDegradation(scale=4), val_lr_dir=dirs["train_lr_dir"])


def test_missing_directories_are_named(photos: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        folder(photos, train_dir=str(photos / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        folder(photos, val_dir=str(photos / "nowhere"))


def test_dead_leaves_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.image_size=16 is less than data\.hr_patch_size=32"):
        DeadLeavesData(**SHARED, degradation=BicubicDegradation(scale=4), num_images=1, image_size=16)
