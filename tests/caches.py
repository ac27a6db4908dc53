"""Folders of images behind a cache."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import small_data
import torch

from sr.data.cache import cached_images
from sr.data.cache.cached_images import CachedImages, cached
from sr.data.origins import FolderData
from sr.data.sources import ImageFiles


def source(root: Path, kind: str = "disk", *, channels: int = 3) -> CachedImages:
    images = cached(ImageFiles.from_directory(root, channels=channels), cache=kind, cache_dir=None)
    assert isinstance(images, CachedImages)
    return images


def folder(photos: Path, kind: str, **changes: Any) -> FolderData:
    return small_data.folder(photos, **{"cache": kind, "iterations_per_epoch": 4} | changes)


def assert_same(a: list[dict[str, torch.Tensor]], b: list[dict[str, torch.Tensor]]) -> None:
    assert len(a) == len(b) > 0
    for left, right in zip(a, b, strict=True):
        assert left.keys() == right.keys()
        assert all(torch.equal(left[key], right[key]) for key in left)


def hang_at(name: str, started: Any) -> Callable[..., np.ndarray]:
    read = cached_images.read_image

    def reading(path: Path, *, channels: int) -> np.ndarray:
        if Path(path).name == name:
            started.set()
            threading.Event().wait()
        return read(path, channels=channels)

    return reading
