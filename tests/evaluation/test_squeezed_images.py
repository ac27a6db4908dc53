"""The demo of the source project: whatever the shape, LR is a small square."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers import picture

from sr.data.sources import ImageFiles
from sr.evaluation.squeezed_images import SqueezedImages
from sr.ops.image import to_float, to_tensor
from sr.pictures.writing import write_png


def files(directory: Path, *, channels: int = 3) -> ImageFiles:
    return ImageFiles.from_directory(directory, channels=channels)


def test_lr_is_a_square_and_hr_keeps_its_size(photos: Path) -> None:
    images = SqueezedImages(hr=files(photos), side=16)
    assert len(images) == 4
    item = images[1]
    assert item["name"] == "b"
    assert item["lr"].shape == (3, 16, 16)
    assert item["hr"].shape == (3, 80, 66)  # no multiple of anything is asked for


def test_both_ways_by_bicubic_without_antialiasing(photos: Path) -> None:
    images = SqueezedImages(hr=files(photos), side=16)
    item = images[1]
    hr = picture(80, 66, seed=1)
    # On 8-bit images OpenCV interpolates in fixed point, up to one level off.
    squeezed = cv2.resize(hr, (16, 16), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(item["lr"].permute(1, 2, 0) * 255, squeezed, atol=1.01)
    sr = torch.rand(1, 3, 64, 64)
    back = images.at_hr_size(sr, item["hr"][None])
    eight_bit = (sr[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    resized = cv2.resize(eight_bit, (66, 80), interpolation=cv2.INTER_CUBIC)
    assert back.shape == (1, 3, 80, 66)
    np.testing.assert_allclose(back[0].permute(1, 2, 0) * 255, resized, atol=1.01)


def test_many_bands(tmp_path: Path) -> None:
    hr = picture(30, 40, channels=5)

    class Bands:
        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> np.ndarray:
            return hr

        def name(self, index: int) -> str:
            return "bands"

    images = SqueezedImages(hr=Bands(), side=8)
    assert images[0]["lr"].shape == (5, 8, 8)
    assert torch.equal(images[0]["hr"], to_tensor(to_float(hr)))
    assert images.at_hr_size(torch.rand(1, 5, 32, 32), images[0]["hr"][None]).shape == (1, 5, 30, 40)


def test_mistakes_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", picture(8, 20))
    with pytest.raises(ValueError, match="squeeze=0 must be 1 or more"):
        SqueezedImages(hr=files(tmp_path), side=0)
    with pytest.raises(ValueError, match="a: 20 x 8 pixels; the metric needs 11 on each side"):
        SqueezedImages(hr=files(tmp_path), side=4).check(smallest=11)
    write_png(tmp_path / "a.bmp.png", picture(20, 20))
    (tmp_path / "a.webp").write_bytes((tmp_path / "a.png").read_bytes())
    with pytest.raises(ValueError, match="several images have the name a and differ only in their endings"):
        SqueezedImages(hr=files(tmp_path), side=4).check(smallest=1)
