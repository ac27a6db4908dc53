"""Memory and caches of a test's own, and which files were read."""

from pathlib import Path

import numpy as np
import pytest

from sr.data.cache import cached_images
from sr.data.cache import folder as cache_folder


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for shared memory, and for the caches of the user."""
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(cache_folder, "SHARED_MEMORY", memory)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return memory


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were decoded for a cache."""
    names: list[str] = []
    read = cached_images.read_image

    def noted(path: Path, *, channels: int) -> np.ndarray:
        names.append(Path(path).name)
        return read(path, channels=channels)

    monkeypatch.setattr(cached_images, "read_image", noted)
    return names
