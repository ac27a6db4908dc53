"""A cache gives the pixels of its files: the same samples, whatever the depth and the channels."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from caches import assert_same, folder, source
from helpers import compose_config, picture
from hydra.utils import instantiate
from small_data import SHARED, batches

from sr.data.cache import cached_images
from sr.data.origins import PairedData
from sr.data.patches import SynthesizedPatches
from sr.data.sampler import Draw
from sr.data.sources import ImageFiles
from sr.pictures.writing import write_png


@pytest.mark.parametrize("kind", ["disk", "ram"])
@pytest.mark.parametrize("workers", [0, 2])
def test_samples_are_the_same_as_without(photos: Path, kind: str, workers: int) -> None:
    blind = instantiate(compose_config("degradation=realesrgan").degradation)
    expected = batches(folder(photos, "none", degradation=blind))
    assert_same(batches(folder(photos, kind, degradation=blind, num_workers=workers)), expected)


def test_pairs_are_the_same_as_without(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_png(tmp_path / "hr" / f"{name}.png", picture(48, 67, seed=ord(name)))
        write_png(tmp_path / "lr" / f"{name}x4.png", picture(12, 16, seed=ord(name)))
    dirs = {"train_dir": str(tmp_path / "hr"), "train_lr_dir": str(tmp_path / "lr")}
    dirs |= {"val_dir": dirs["train_dir"], "val_lr_dir": dirs["train_lr_dir"]}
    without, *others = (
        PairedData(**SHARED, **dirs, cache=kind, iterations_per_epoch=4) for kind in ("none", "disk", "ram")
    )
    for data in others:
        assert_same(batches(data), batches(without))
        assert data.listing() == without.listing()


def write_kinds(root: Path) -> None:
    """Images of every depth and number of channels."""
    rng = np.random.default_rng(0)
    write_png(root / "gray8.png", picture(21, 33, channels=1))
    write_png(root / "gray16.png", rng.integers(2**16, size=(20, 31, 1), dtype=np.uint16))
    write_png(root / "rgb8.png", picture(20, 31))
    write_png(root / "rgb16.png", rng.integers(2**16, size=(19, 31, 3), dtype=np.uint16))
    tifffile.imwrite(root / "rgb16.tif", rng.integers(2**16, size=(18, 7, 3), dtype=np.uint16))
    tifffile.imwrite(root / "rgb8.tiff", picture(5, 7))


@pytest.mark.parametrize("channels", [1, 3])
def test_depth_and_channels(tmp_path: Path, channels: int) -> None:
    (tmp_path / "kinds").mkdir()
    write_kinds(tmp_path / "kinds")
    images, files = (
        source(tmp_path / "kinds", channels=channels),
        ImageFiles.from_directory(tmp_path / "kinds", channels=channels),
    )
    assert len(images) == len(files) == 6
    needed = 0
    for number in range(len(files)):
        image = images[number]
        assert image.dtype == files[number].dtype
        np.testing.assert_array_equal(image, files[number])
        assert not image.flags.writeable
        assert images.size(number) == files.size(number)
        assert cached_images._decoded_size(files.paths[number], channels) == image.nbytes
        needed += image.nbytes
    held = images.folder.pixels.stat().st_size
    assert needed < held < needed + 2000


def test_many_bands(tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(2**16, size=(24, 32, 7), dtype=np.uint16)
    (tmp_path / "bands").mkdir()
    tifffile.imwrite(tmp_path / "bands" / "a.tif", bands, photometric="minisblack", planarconfig="contig")
    np.testing.assert_array_equal(source(tmp_path / "bands", channels=7)[0], bands)
    assert cached_images._decoded_size(tmp_path / "bands" / "a.tif", 7) == bands.nbytes


def test_another_number_of_channels_is_another_set(photos: Path) -> None:
    assert source(photos, channels=1)[0].shape == (64, 72, 1)
    assert source(photos)[0].shape == (64, 72, 3)
    assert source(photos, channels=1)[0].shape == (64, 72, 1)


def test_a_sample_of_a_cached_set_by_hand(photos: Path) -> None:
    """Without a loader nobody has opened the cache."""
    patches = folder(photos, "ram")._training
    assert isinstance(patches, SynthesizedPatches)
    assert patches[Draw(image=1, seed=(0, 0))]["hr"].shape == (3, 32, 32)
