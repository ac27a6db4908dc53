"""Columns of a terminal's table."""

import pytest

from sr.ops.text_table import aligned, markdown


def test_words_to_the_left_and_numbers_to_the_right() -> None:
    rows = [["set", "model", "psnr"], ["photos", "", "9.5"], ["", "net", "31.25"]]
    assert aligned(rows, left=(0, 1)) == [
        "set     model   psnr",
        "photos           9.5",
        "        net    31.25",
    ]
    assert aligned([["a", "b"], ["longer", ""]], left=range(2)) == [
        "a       b",
        "longer",
    ]  # no spaces at the end


def test_a_row_with_another_number_of_cells_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        aligned([["a", "b"], ["c"]], left=())


def test_a_table_in_markdown() -> None:
    lines = markdown([("net", "is"), ("a", "1|2")])
    assert lines == ["| net | is |", "|---|---|", "| a | 1\\|2 |"]
