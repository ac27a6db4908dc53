"""Names that hold a text."""

import pytest

from sr.ops.node_names import NAME, PREFIX, node_name, node_text


@pytest.mark.parametrize("text", ["{a: 1}", '{_target_: x.Y, note: "ä, b"}', "{}", "{a: [1, {b: 2}]}"])
def test_a_name_is_a_word_and_gives_its_text_back(text: str) -> None:
    assert NAME.fullmatch(node_name(text))
    assert node_text(node_name(text)) == text


def test_other_choices_stay_as_they_are() -> None:
    assert node_text("bicubic") == "bicubic"
    with pytest.raises(ValueError, match="is not the name of a node"):
        node_text(f"{PREFIX}_w")
