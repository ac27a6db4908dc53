"""Links in the guides lead somewhere, and the site can be built."""

import re
from pathlib import Path

import pytest
from helpers import ROOT, run_program
from shipped_options import shipped_options

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as mkdocs and GitHub make them of plain words."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def is_generated(page: Path) -> bool:
    """Whether sr/reference/site.py makes it."""
    names = {"index", *(group.replace("/", ".") for group in shipped_options())}
    return page.parent == ROOT / "docs" / "reference" and page.stem in names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link, image in LINK.findall(without_code(page.read_text())):
        target, _, anchor = (link or image).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.is_file() or is_generated(file), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name}: {target}#{anchor}"


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text().split("\nnav:", 1)[1]
    listed = set(re.findall(r": (\S+\.md)$", navigation, re.MULTILINE))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.parent != ROOT}


@pytest.mark.slow
def test_the_site_can_be_built(tmp_path: Path) -> None:
    built = run_program("-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path), timeout=600)
    assert built.returncode == 0, built.stderr
    assert "num_grow_ch" in (tmp_path / "reference" / "generator" / "index.html").read_text()
    assert "H*scale, W*scale" in (tmp_path / "api" / "archs" / "index.html").read_text()
    assert (tmp_path / "schemas" / "classes.json").is_file()
