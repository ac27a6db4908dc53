"""The private name of torchmetrics that the project uses still exists; an upgrade that loses it fails here, by the
name."""

import pytest


def test_it_is_there() -> None:
    pytest.importorskip("torchvision")
    from torchmetrics.functional.image import lpips

    assert hasattr(lpips, "_NoTrainLpips")
