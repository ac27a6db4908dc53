import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import compose_config, picture
from hydra.utils import instantiate

from sr.cli.errors import explain
from sr.data.origins import DeadLeavesData, FolderData, PairedData, SampleData
from sr.degradations.bicubic import BicubicDegradation
from sr.degradations.pipeline import Degradation
from sr.degradations.record import DegradationError
from sr.degradations.resize import MatlabBicubic, RandomResize
from sr.degradations.sharpen import UnsharpMask
from sr.pictures.picture import UnreadableImageError
from sr.pictures.writing import write_png

SHARED: dict[str, Any] = {"scale": 4, "hr_patch_size": 32, "batch_size": 3, "seed": 0, "num_workers": 0}


def folder(photos: Path, **changes: Any) -> FolderData:
    settings = SHARED | {
        "degradation": BicubicDegradation(scale=4),
        "train_dir": str(photos),
        "val_dir": str(photos),
    }
    return FolderData(**settings | changes)


def batches(data: FolderData) -> list[dict[str, torch.Tensor]]:
    return list(data.train_dataloader())


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
        ({"hr_patch_size": 128}, r"less than a patch of 128"),
        ({"degradation": None}, r"data\.degradation=null"),
    ],
)
def test_mistakes_are_named(photos: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        folder(photos, **changes)


def test_missing_directories_are_named(photos: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        folder(photos, train_dir=str(photos / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        folder(photos, val_dir=str(photos / "nowhere"))


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


def test_dead_leaves_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.image_size=16 is less than data\.hr_patch_size=32"):
        DeadLeavesData(**SHARED, degradation=BicubicDegradation(scale=4), num_images=1, image_size=16)


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
    message = explain(caught.value)
    assert message is not None
    assert re.match(r'(a|b|d|deep/c): .*fragile failed: too smooth; the draws were \{"version": 2', message)
    assert "Traceback" not in message


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
