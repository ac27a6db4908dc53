"""Images that lack data, on their way to a batch."""

from pathlib import Path

import albumentations
import numpy as np
import pytest
import torch
from scenes import scene, write_scene

from sr.data.collating import collate
from sr.data.mixing.batch_mix import BatchMix, ChosenMix
from sr.data.mixing.cutmix import CutMix
from sr.data.mixing.mixup import MixUp
from sr.data.mixing.resizemix import ResizeMix
from sr.data.mixture import JoinedImages
from sr.data.origins import FolderData
from sr.data.pack.packing import find_originals, pack
from sr.data.patches import Augmentation, PairedPatches, SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.shards.images import ShardImages, find_shards
from sr.data.shards.storage import Storage
from sr.data.sources import ImageFiles
from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.ops.normalisation import BandRange

BY = BandRange(low=0, high=3000)
NODATA = -9999.0


def holed(folder: Path, *, side: int = 64, hole: int = 20, seed: int = 0) -> ImageFiles:
    """One scene of int16 whose upper left square lacks data."""
    image = scene(side, side, dtype="int16", seed=seed)
    image[:hole, :hole] = NODATA
    write_scene(folder / "a.tif", image, nodata=NODATA)
    return ImageFiles.from_directory(folder, channels=4)


def patches(images: ImageFiles, *, size: int = 32, turned: bool = False) -> SynthesizedPatches:
    return SynthesizedPatches(
        images=images,
        degradation=BicubicDegradation(scale=4),
        hr_patch_size=size,
        augmentation=Augmentation([albumentations.D4(p=1.0)] if turned else []),
        sharpen=None,
        on_error="raise",
        normalisation=BY,
    )


def draws(count: int) -> list[Draw]:
    return [Draw(image=0, seed=(0, number)) for number in range(count)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_patch_says_where_it_has_data(tmp_path: Path, turned: bool) -> None:
    images = holed(tmp_path)
    stored = images[0].astype(np.float32) / 3000
    masked = 0
    for draw in draws(12):
        sample = patches(images, turned=turned)[draw]
        assert sample["lr"].min() > -0.05  # nothing of -9999 has gone into LR
        if "valid" not in sample:
            continue
        masked += 1
        assert sample["valid"].dtype == torch.bool and sample["valid"].shape == sample["hr"].shape
        if not turned:  # every window of the image that has these values where there is data
            window = sample["hr"].permute(1, 2, 0).numpy()
            keep = sample["valid"].permute(1, 2, 0).numpy()
            found = [
                (top, left)
                for top in range(33)
                for left in range(33)
                if np.allclose(stored[top : top + 32, left : left + 32][keep], window[keep], atol=1e-6)
            ]
            assert len(found) == 1
            top, left = found[0]
            np.testing.assert_array_equal(keep, stored[top : top + 32, left : left + 32] >= 0)
    assert masked


def test_turns_move_the_mask_with_the_image() -> None:
    image = np.zeros((8, 8, 1), np.float32)
    valid = np.zeros((8, 8, 1), bool)
    image[1, 2], valid[1, 2] = 1, True
    augmentation = Augmentation([albumentations.D4(p=1.0)])
    seen = set()
    for seed in range(48):
        turned, mask = augmentation.with_mask(image, valid, seed=seed)
        assert mask is not None
        np.testing.assert_array_equal(turned > 0.5, mask)
        np.testing.assert_array_equal(turned, augmentation(image, seed=seed))
        seen.add(int(mask.argmax()))
    assert len(seen) == 8


def test_patches_with_data_are_preferred(tmp_path: Path) -> None:
    """Half of the places lack most of their data; eight draws nearly always find another."""
    images = holed(tmp_path, side=96, hole=60)
    samples = [patches(images)[draw] for draw in draws(20)]
    shares = [float(sample["valid"].float().mean()) for sample in samples if "valid" in sample]
    assert len(shares) > 5
    assert sum(share >= 0.5 for share in shares) >= 0.95 * len(shares)


def test_an_image_with_data_everywhere_is_as_if_there_was_no_mask(tmp_path: Path) -> None:
    image = scene(64, 64, dtype="int16")
    write_scene(tmp_path / "said" / "a.tif", image, nodata=NODATA)
    write_scene(tmp_path / "plain" / "a.tif", image)
    for draw in draws(3):
        one, other = (
            patches(ImageFiles.from_directory(tmp_path / name, channels=4))[draw]
            for name in ("said", "plain")
        )
        assert one.keys() == other.keys() == {"lr", "hr"}
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_pair_has_data_where_both_have(tmp_path: Path) -> None:
    hr = scene(32, 32, dtype="float32")
    hr[0, 0] = np.nan
    lr = scene(8, 8, dtype="float32")
    lr[7, 7] = np.nan
    sources = [
        ImageFiles([write_scene(tmp_path / name, image)], root=tmp_path, channels=4)
        for name, image in (("hr.tif", hr), ("lr.tif", lr))
    ]
    expected = torch.ones(4, 32, 32, dtype=torch.bool)
    expected[:, 0, 0] = False
    expected[:, 28:, 28:] = False
    pair = PairedPatches(
        hr=sources[0],
        lr=sources[1],
        scale=4,
        hr_patch_size=32,
        augmentation=Augmentation([]),
        sharpen=None,
        on_error="raise",
        normalisation=BY,
    )[draws(1)[0]]
    whole = WholeImages(hr=sources[0], lr=sources[1], scale=4, normalisation=BY)[0]
    for sample in (pair, whole):
        assert torch.equal(sample["valid"], expected)
        assert sample["hr"].isfinite().all() and sample["lr"].isfinite().all()


def test_a_batch_has_a_mask_where_one_of_its_samples_has() -> None:
    plain = {"lr": torch.zeros(1, 2, 2), "hr": torch.zeros(1, 4, 4)}
    mask = torch.zeros(1, 4, 4, dtype=torch.bool)
    assert collate([plain, plain]).keys() == {"lr", "hr"}
    batch = collate([plain, {**plain, "valid": mask}])
    assert batch["valid"].dtype == torch.bool
    assert batch["valid"][0].all() and not batch["valid"][1].any()


@pytest.mark.parametrize("mix", [CutMix(), MixUp(), ResizeMix(smallest=0.5, largest=0.5)])
def test_a_mixture_has_data_where_all_its_parts_have(mix: CutMix | MixUp | ResizeMix) -> None:
    """Where there is no data HR is 100 here, so a pixel that is called valid must be free of it."""
    valid = torch.ones(2, 1, 64, 64, dtype=torch.bool)
    valid[0, :, :20, :20] = False
    hr = torch.where(valid, 0.5, 100.0)
    batch = {"lr": torch.full((2, 1, 16, 16), 0.5), "hr": hr, "valid": valid}
    mixer = BatchMix(mixes={"mix": ChosenMix(probability=1.0, mix=mix)}, batch_size=2, seed=0)
    mixed = mixer(batch, process=0, iteration=0)
    assert mixed["valid"].dtype == torch.bool and 0 < mixed["valid"].sum() < valid.numel()
    assert mixed["hr"][mixed["valid"]].max() < 0.5 + 0.05


def test_all_sources_know_the_value(tmp_path: Path) -> None:
    files = holed(tmp_path / "images")
    originals, _ = find_originals(tmp_path / "images", on_error="raise", progress=lambda paths: paths)
    storage = Storage(str(tmp_path / "shards"))
    pack(originals, storage, shard_bytes=10**6, shuffle=None)
    shards = ShardImages(find_shards(storage), storage=storage, cache=None, channels=4)
    for source in (files, shards, JoinedImages([files, shards])):
        assert [source.nodata(index) for index in range(len(source))] == [NODATA] * len(source)
        np.testing.assert_array_equal(source[len(source) - 1], files[0])


@pytest.mark.parametrize("cache", ["none", "disk"])
def test_a_folder_of_signed_scenes_trains_and_validates(tmp_path: Path, cache: str) -> None:
    holed(tmp_path / "scenes")
    data = FolderData(
        train_dir=str(tmp_path / "scenes"),
        val_dir=str(tmp_path / "scenes"),
        scale=4,
        channels=4,
        hr_patch_size=64,
        batch_size=1,
        seed=0,
        num_workers=0,
        degradation=BicubicDegradation(scale=4),
        normalise={"low": 0, "high": [3000, 3000, 3000, 6000]},
        cache=cache,
        cache_dir=str(tmp_path / "cache") if cache == "disk" else None,
    )
    data.setup("fit")
    data.check_validation(smallest=19)
    (batch,), (whole,) = list(data.train_dataloader())[:1], list(data.val_dataloader())
    assert torch.equal(batch["hr"], whole["hr"]) and torch.equal(batch["valid"], whole["valid"])
    stored = torch.from_numpy(ImageFiles.from_directory(tmp_path / "scenes", channels=4)[0]).permute(2, 0, 1)
    back = batch["hr"][0] * torch.tensor([3000, 3000, 3000, 6000])[:, None, None]
    torch.testing.assert_close(
        back[batch["valid"][0]], stored[batch["valid"][0]].float(), rtol=1e-5, atol=1e-2
    )


def test_what_cannot_be_used_is_refused_before_training(tmp_path: Path) -> None:
    holed(tmp_path / "scenes")
    settings: dict = {
        "train_dir": str(tmp_path / "scenes"),
        "scale": 4,
        "channels": 4,
        "hr_patch_size": 32,
        "batch_size": 1,
        "seed": 0,
        "degradation": BicubicDegradation(scale=4),
    }
    with pytest.raises(ValueError, match=r"a\.tif: int16 has no natural range: write data\.normalise="):
        FolderData(**settings)
    with pytest.raises(ValueError, match=r"data\.normalise has numbers for 2 bands, where channels=4"):
        FolderData(**settings, normalise={"low": [0, 0], "high": 1})
    images = WholeImages(
        hr=holed(tmp_path / "mostly", hole=60),
        scale=4,
        degradation=BicubicDegradation(scale=4),
        normalisation=BY,
    )
    with pytest.raises(ValueError, match="a: no square of 19 x 19 pixels has data in all bands"):
        images.check(smallest=19)
