"""A package with two small nets in the place of the shipped ones."""

from pathlib import Path

import pytest
from zoo_nets import put_net

from sr.zoo import shipped


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the nets: general-x4 and classic-x2. The working directory is another one."""
    folder, here = tmp_path / "box", tmp_path / "here"
    for each in (folder, here):
        each.mkdir()
    put_net(folder, "general-x4", scale=4)
    put_net(folder, "classic-x2", scale=2)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    monkeypatch.chdir(here)
    return folder
