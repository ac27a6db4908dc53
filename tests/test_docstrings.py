"""The lines of arguments and attributes in docstrings stand alone: each is a noun phrase, whoever reads it first."""

import ast
import re
from collections.abc import Iterator

import pytest
from helpers import ROOT

SECTIONS = ("Args:", "Attributes:")
# Words that continue the name of the argument ("seed: of the field") instead of saying what it is.
CONTINUING = frozenset(
    "by for from has how in is must of on so that those to what where which who whose with".split()  # noqa: SIM905
)
ENTRY = re.compile(r"\s+(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)*): (?P<first>\w+)")
FOLDERS = ("sr", "benchmarks")
FILES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def entries(docstring: str) -> Iterator[tuple[str, str]]:
    """(names, first word of the description) of every line in the sections of arguments and attributes."""
    inside, depth = False, 0
    for line in docstring.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.strip() in SECTIONS:
            inside, depth = True, indent
        elif line.strip() and indent <= depth:
            inside = False
        elif inside and (entry := ENTRY.match(line)) and indent == depth + 4:
            yield entry["names"], entry["first"]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_argument_line_stands_alone(file: str) -> None:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = []
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, kinds) and (docstring := ast.get_docstring(node)):
            # Readers of docstrings take "height, width" for the name of one argument.
            found += [
                f"{names}: {first} ..."
                for names, first in entries(docstring)
                if first in CONTINUING or "," in names
            ]
    assert not found, f"{file}: {found}"


def test_a_line_that_continues_its_name_is_found() -> None:
    docstring = (
        "A.\n\nArgs:\n    seed: of it.\n    sigma: the range,\n        to: see.\n\nReturns:\n    it: of."
    )
    assert list(entries(docstring)) == [("seed", "of"), ("sigma", "the")]
