"""Every key of every group has a meaning, and every option a page."""

import pytest
from shipped_options import shipped_options

from sr.config import ROOTS
from sr.reference.arguments import arguments_of, root_meanings, summary_of
from sr.reference.options import Option
from sr.reference.pages import page_of, pages


@pytest.fixture(scope="module")
def groups() -> dict[str, list[Option]]:
    return shipped_options()


def test_every_argument_has_a_meaning(groups: dict[str, list[Option]]) -> None:
    targets = {target for options in groups.values() for option in options for target in option.targets}
    assert len(targets) > 60
    silent = {
        target: names
        for target in targets
        if (names := [each.name for each in arguments_of(target).values() if not each.meaning])
    }
    assert silent == {}
    assert [target for target in targets if not summary_of(target)] == []


def test_every_root_key_has_a_meaning() -> None:
    for root in ROOTS.values():
        assert set(root_meanings(root)) == set(root.__dataclass_fields__)  # type: ignore[attr-defined]


def test_every_option_says_what_it_is(groups: dict[str, list[Option]]) -> None:
    silent = [
        f"{group}/{each.name}" for group, options in groups.items() for each in options if not each.comment
    ]
    assert silent == []


def test_pages_have_every_option_and_every_argument(groups: dict[str, list[Option]]) -> None:
    found = pages(groups, ROOTS)
    assert set(found) == {"index.md", *map(page_of, groups)}
    for group, options in groups.items():
        page = found[page_of(group)]
        for option in options:
            assert f"\n## {option.name}\n" in page
            assert f"```yaml\n{option.text.strip()}\n```" in page
            for target in option.targets:
                section = page.split(f"\n### {target}\n", 1)[1].split("\n### ", 1)[0]
                assert all(f"| `{name}` |" in section for name in arguments_of(target))


def test_a_row_of_the_reference(groups: dict[str, list[Option]]) -> None:
    page = pages(groups, ROOTS)["data.md"]
    assert "| `cache` | the place where decoded pixels are kept" in page
    assert "| none or disk or ram | `'none'` |" in page
