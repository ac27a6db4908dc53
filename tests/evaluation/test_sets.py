"""Which images an evaluation takes."""

from pathlib import Path
from typing import Any

import pytest

from sr.data.whole_images import WholeImages
from sr.degradations.bicubic import BicubicDegradation
from sr.evaluation.sets import find_sets
from sr.evaluation.squeezed_images import SqueezedImages


def find(**changes: Any) -> dict[str, Any]:
    plain = {"hr_dir": None, "hr_dirs": None, "lr_dir": None, "squeeze": None, "scale": 2, "channels": 3}
    return find_sets(
        **{**plain, "degradation": BicubicDegradation(scale=2), "seed": 0, "draws": 1, **changes}  # type: ignore[arg-type]
    )


def test_a_set_is_named_after_its_directory_or_as_asked(photos: Path) -> None:
    assert list(find(hr_dir=str(photos))) == ["photos"]
    assert {
        name: len(images)
        for name, images in find(hr_dirs={"a": str(photos), "b": str(photos / "deep")}).items()
    } == {
        "a": 4,
        "b": 1,
    }
    assert list(find()) == ["samples"]
    assert isinstance(find()["samples"], WholeImages)


def test_squeezed_sets(photos: Path) -> None:
    (images,) = find(hr_dir=str(photos), squeeze=8).values()
    assert isinstance(images, SqueezedImages)
    assert images[0]["lr"].shape == (3, 8, 8)


@pytest.mark.parametrize("name", ["..", "a/b", "/tmp"])
def test_names_of_sets_stay_inside_the_output(photos: Path, name: str) -> None:
    with pytest.raises(ValueError, match="the images of a set get a directory of its name"):
        find(hr_dirs={name: str(photos)})


def test_lr_that_are_hr_are_nothing_to_measure(photos: Path) -> None:
    same = {"hr_dir": str(photos), "scale": 1, "degradation": BicubicDegradation(scale=1)}
    with pytest.raises(ValueError, match=r"scale=1: this degradation leaves images as they are.*lr_dir="):
        find(**same)
    assert list(find(**same, lr_dir=str(photos))) == ["photos"]
