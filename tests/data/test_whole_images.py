from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import compose_config, picture
from hydra.utils import instantiate

from sr.data.sources import ImageFiles
from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.ops.image import to_float
from sr.pictures.writing import write_png


def test_hr_is_cut_to_the_scale_and_lr_is_made_from_it(photos: Path) -> None:
    images = WholeImages(
        hr=ImageFiles.from_directory(photos), scale=4, degradation=BicubicDegradation(scale=4)
    )
    item = images[3]
    assert item["name"] == "deep/c"
    assert item["hr"].shape == (3, 68, 88)
    assert item["lr"].shape == (3, 17, 22)
    expected = images.record(3).apply(to_float(images.hr[3])[:68, :88])
    assert torch.equal(item["lr"], torch.from_numpy(expected.transpose(2, 0, 1)))


def test_lr_files_of_the_wrong_size_are_named(tmp_path: Path) -> None:
    write_png(tmp_path / "hr" / "a.png", picture(33, 40))
    write_png(tmp_path / "lr" / "a.png", picture(8, 10))
    hr, lr = ImageFiles.from_directory(tmp_path / "hr"), ImageFiles.from_directory(tmp_path / "lr")
    assert WholeImages(hr=hr, lr=lr, scale=4)[0]["hr"].shape == (3, 32, 40)
    with pytest.raises(ValueError, match="a: LR of 10 x 8 and HR of 40 x 32 pixels do not differ by scale=2"):
        WholeImages(hr=hr, lr=lr, scale=2)[0]


def blind(photos: Path, **changes: Any) -> WholeImages:
    degradation = instantiate(compose_config("degradation=realesrgan").degradation)
    return WholeImages(
        hr=ImageFiles.from_directory(photos), scale=4, **{"degradation": degradation} | changes
    )


def test_the_order_of_the_images_changes_nothing(photos: Path) -> None:
    forwards, backwards = blind(photos), blind(photos)
    ahead = [forwards[index]["lr"] for index in range(4)]
    back = [backwards[index]["lr"] for index in reversed(range(4))]
    assert all(torch.equal(a, b) for a, b in zip(ahead, reversed(back), strict=True))
    assert [forwards.record(i) for i in range(4)] == [backwards.record(i) for i in range(4)]


def test_the_seed_and_the_image_decide_what_is_drawn(photos: Path) -> None:
    records = [blind(photos, seed=seed).record(index).to_json() for seed in (0, 1) for index in range(4)]
    assert len(set(records)) == 8
    images = blind(photos, seed=3)
    assert images.degradation is not None
    assert images.record(2) == images.degradation.draw(np.random.default_rng((3, 2)))


def test_the_first_draw_is_the_same_however_many_there_are(photos: Path) -> None:
    one, two, five = (blind(photos, draws=draws) for draws in (1, 2, 5))
    assert [len(one), len(two), len(five)] == [4, 8, 20]
    for image in range(4):
        assert one.record(image) == two.record(2 * image) == five.record(5 * image)
        assert two.record(2 * image + 1) == five.record(5 * image + 1)
        assert torch.equal(one[image]["lr"], five[5 * image]["lr"])
        assert all(torch.equal(one[image]["hr"], five[5 * image + number]["hr"]) for number in range(5))
    assert len({five.record(index).to_json() for index in range(20)}) == 20


def test_draws_have_names_of_their_own(tmp_path: Path) -> None:
    for name in ("a", "a_1"):
        write_png(tmp_path / f"{name}.png", picture(32, 32))
    images = blind(tmp_path, draws=2)
    assert [images[index]["name"] for index in range(4)] == ["a_0", "a_1", "a_1_0", "a_1_1"]
    assert [images[index]["index"] for index in range(4)] == [0, 1, 2, 3]
    images.check(smallest=19)
    (tmp_path / "a.bmp").write_bytes((tmp_path / "a.png").read_bytes())
    with pytest.raises(ValueError, match="several images have the name a and"):
        blind(tmp_path, draws=2).check(smallest=19)


def test_every_image_is_checked_with_several_draws(photos: Path) -> None:
    write_png(photos / "z.png", picture(18, 40))
    with pytest.raises(ValueError, match="z: 40 x 16 pixels; the metric needs 19"):
        blind(photos, draws=3).check(smallest=19)


def test_whether_anything_is_drawn(photos: Path) -> None:
    hr = ImageFiles.from_directory(photos)
    assert blind(photos).is_random
    assert not blind(photos, degradation=BicubicDegradation(scale=4)).is_random
    assert not WholeImages(hr=hr, lr=hr, scale=1).is_random


def test_draws_where_nothing_is_drawn_are_refused(photos: Path) -> None:
    hr = ImageFiles.from_directory(photos)
    with pytest.raises(ValueError, match="draws=0 must be 1 or more"):
        blind(photos, draws=0)
    with pytest.raises(ValueError, match="draws=2: this degradation draws nothing, so"):
        blind(photos, draws=2, degradation=BicubicDegradation(scale=4))
    with pytest.raises(ValueError, match="draws=2: LR are files, so"):
        WholeImages(hr=hr, lr=hr, scale=1, draws=2)
