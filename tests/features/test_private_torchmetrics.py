"""The files inside torchmetrics that the project uses still exist; an upgrade that loses one fails here, by its
name."""

import pytest

from sr.features.private_torchmetrics import dists_file, lpips_file


@pytest.mark.parametrize("net", ["alexnet", "vgg16", "squeezenet"])
def test_they_are_there(net: str) -> None:
    assert lpips_file(net).is_file()
    assert dists_file().is_file()
