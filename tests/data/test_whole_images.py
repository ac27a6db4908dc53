from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import picture

from sr.data.sources import ImageFiles
from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.ops.image import to_float, write_png


def test_hr_is_cut_to_the_scale_and_lr_is_made_from_it(photos: Path) -> None:
    images = WholeImages(
        hr=ImageFiles.from_directory(photos), scale=4, degradation=BicubicDegradation(scale=4)
    )
    item = images[3]
    assert item["name"] == "deep/c"
    assert item["hr"].shape == (3, 68, 88)
    assert item["lr"].shape == (3, 17, 22)
    expected = BicubicDegradation(scale=4)(to_float(images.hr[3])[:68, :88], np.random.default_rng())
    assert torch.equal(item["lr"], torch.from_numpy(expected.transpose(2, 0, 1)))


def test_lr_files_of_the_wrong_size_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(33, 40))
    write_png(tmp_path / "lr" / "a.png", picture(8, 10))
    hr, lr = ImageFiles.from_directory(tmp_path / "hr"), ImageFiles.from_directory(tmp_path / "lr")
    assert WholeImages(hr=hr, lr=lr, scale=4)[0]["hr"].shape == (3, 32, 40)
    with pytest.raises(ValueError, match="a: LR of 10 x 8 and HR of 40 x 32 pixels do not differ by scale=2"):
        WholeImages(hr=hr, lr=lr, scale=2)[0]
