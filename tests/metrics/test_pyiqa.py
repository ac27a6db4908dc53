"""What is asked of pyiqa, with a stand-in that has its functions: the library needs a torchvision that fits torch."""

import importlib.metadata
import sys
from types import SimpleNamespace

import pytest
import torch
from pyiqa_library import stand_in_for_pyiqa

from sr.metrics.pyiqa import PyIQA


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiqa", stand_in_for_pyiqa())
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")


def test_the_library_says_what_it_needs_and_which_way_is_better() -> None:
    sr, hr = torch.rand(2, 2, 3, 8, 8, dtype=torch.float64)
    blind, paired = PyIQA(name="musiq"), PyIQA(name="topiq_fr")
    torch.testing.assert_close(blind(sr, hr)["musiq"], sr.mean(dim=(1, 2, 3)).float())
    difference = (sr.mean(dim=(1, 2, 3)) - hr.mean(dim=(1, 2, 3))).float()
    torch.testing.assert_close(paired(sr, hr)["topiq_fr"], difference)
    assert (blind.quantities["musiq"].better, paired.quantities["topiq_fr"].better) == ("higher", "lower")
    assert blind.describe() == {"musiq": "pyiqa 1.0, 8-bit RGB, same border; higher is better"}
    with pytest.raises(ValueError, match="pyiqa has no metric musik: choose from musiq, topiq_fr"):
        PyIQA(name="musik")


@pytest.mark.parametrize("error", [ModuleNotFoundError("no pyiqa"), RuntimeError("torchvision::nms")])
def test_where_it_cannot_be_imported_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(name: str) -> None:
        raise error

    monkeypatch.setattr("sr.metrics.pyiqa.importlib", SimpleNamespace(import_module=broken))
    with pytest.raises(ImportError, match=rf"musiq .*\({error}\).*sr-lightning\[iqa\].*leave it out of meas"):
        PyIQA(name="musiq")
