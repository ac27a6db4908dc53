"""What people read of a net."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from sr.zoo import shipped
from sr.zoo.card import listing, page
from sr.zoo.shipped import read_card


def test_the_list_has_a_line_for_each_net(box: Path) -> None:
    head, first, second, note = listing().splitlines()
    assert head.split()[:3] == ["net", "scale", "size"]
    assert first.split()[:2] == ["classic-x2", "x2"]
    assert first.split()[4:] == ["MIT", "30.50", "30.10", "Enlarges", "by", "2."]
    assert second.startswith("general-x4  ")
    assert note.startswith("measured on the photographs inside scikit-image")


def test_a_file_without_a_card_is_listed_too(box: Path) -> None:
    save_file({"a": torch.ones(1)}, box / "own.safetensors")
    assert listing().splitlines()[3].split() == ["own", "x", "0", "KB"]


def test_an_empty_package_has_an_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    assert listing() == "this package holds no net"


def test_the_page_is_made_of_the_card(box: Path) -> None:
    card = read_card("general-x4")
    text = page(card)
    assert text == (box / "general-x4.md").read_text()
    lines = text.splitlines()
    assert lines[0] == "# general-x4"
    assert "| general-x4 | scikit-image (3) | 30.50 / 0.8000 | 30.10 / 0.7900 |" in lines
    assert "Made by `python train.py experiment=zoo/none` in 12 seconds." in lines
    assert "| license | MIT |" in lines
    assert "Other than the recipe" not in text
    assert "- `trainer.precision: a -> b`" in page({**card, "changed": '["trainer.precision: a -> b"]'})
