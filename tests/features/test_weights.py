"""Files of weights that do not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sr.features.imagenet import ImageNetFeatures

WriteFile = Callable[..., Path]


def test_a_given_path_that_does_not_exist(tmp_path: Path, hub: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"VGG19 weights \(the key\): .*nowhere\.pth"):
        ImageNetFeatures(layers=["conv1_1"], weights=str(tmp_path / "nowhere.pth"), key="the key")
    with pytest.raises(FileNotFoundError, match=r"VGG19 weights \(the key\): .* is a folder: name a file"):
        ImageNetFeatures(layers=["conv1_1"], weights=str(tmp_path), key="the key")


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>", b"PK\x03\x04 cut short"], ids=["empty", "html", "zip"]
)
def test_a_file_that_is_not_torchs(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "page.pth"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"VGG19 weights .*page\.pth: no checkpoint, or a damaged") as caught:
        ImageNetFeatures(layers=["conv1_1"], weights=str(file))
    assert caught.value.__cause__ is not None


def test_a_file_that_runs_code_is_not_run(tmp_path: Path) -> None:
    class Touch:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"features.0.weight": Touch()}, tmp_path / "bad.pth")
    with pytest.raises(
        ValueError, match=r"VGG19 weights .*bad\.pth: refused, since reading it would run code"
    ):
        ImageNetFeatures(layers=["conv1_1"], weights=str(tmp_path / "bad.pth"))
    assert not (tmp_path / "ran").exists()


def test_a_file_with_a_missing_key(vgg_file: WriteFile) -> None:
    with pytest.raises(ValueError, match=r"vgg\.pth: key features\.2\.weight is missing.*\(64, 64, 3, 3\)"):
        ImageNetFeatures(layers=["conv1_2"], weights=str(vgg_file(1)))


def test_a_file_with_a_key_of_another_shape(vgg_file: WriteFile) -> None:
    file = vgg_file(1)
    state = torch.load(file, weights_only=True)
    torch.save(state | {"features.0.bias": torch.zeros(32)}, file)
    with pytest.raises(
        ValueError, match=r"vgg\.pth: key features\.0\.bias has shape \(32,\), expected \(64,\)"
    ):
        ImageNetFeatures(layers=["conv1_1"], weights=str(file))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "expected a dict of tensors, found a list"),
        ({"features.0.weight": 3}, r"features\.0\.weight is a int"),
    ],
)
def test_a_file_with_something_else_in_it(tmp_path: Path, content: Any, message: str) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=rf"other\.pth.*{message}"):
        ImageNetFeatures(layers=["conv1_1"], weights=str(tmp_path / "other.pth"))


def test_a_weight_that_is_no_number_is_named(vgg_file: WriteFile) -> None:
    file = vgg_file(1)
    state = torch.load(file, weights_only=True)
    state["features.0.bias"][3] = torch.nan
    torch.save(state, file)
    with pytest.raises(
        ValueError, match=r"VGG19 weights .*features\.0\.bias has 1 of 64 values that are not"
    ):
        ImageNetFeatures(layers=["conv1_1"], weights=str(file))
