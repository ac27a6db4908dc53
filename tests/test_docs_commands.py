"""Every command of the guides is one that the programs take."""

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from helpers import ROOT, compose_config

from sr.cli.command_line import check_command_line
from sr.cli.nodes import with_named_nodes

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
HYDRA = {"train": "train", "evaluate": "evaluate", "preview": "preview"}
ARGPARSE = ("upscale", "export", "check", "pack", "normalise", "align", "schemas", "workspace", "demo")


def commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    """(program, arguments) of every line in a block of code that starts one of the programs; where lines have a prompt,
    all others are what was printed."""
    for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
        prompt = r"\$ " if re.search(r"^\$ ", block, re.MULTILINE) else ""
        for line in re.sub(
            r"<\w+>", "X", block.replace("\\\n", " ")
        ).splitlines():  # <time> is for the user to fill
            found = re.match(prompt + r"(?:python (train|evaluate)\.py|sr-(\w+))(?:\s|$)", line)
            if found and "..." not in line:
                _, *arguments = shlex.split(line[found.start() :].removeprefix("$ "), comments=True)
                yield found[1] or found[2], arguments[1:] if found[1] else arguments


ALL = [(page, *each) for page in PAGES for each in commands(page)]


def shown(value: object) -> str:
    return (
        value.name if isinstance(value, Path) else " ".join(value) if isinstance(value, list) else str(value)
    )


def test_there_are_commands() -> None:
    assert len(ALL) > 80
    assert {program for _, program, _ in ALL} >= {
        "train",
        "evaluate",
        "preview",
        "upscale",
        "export",
        "check",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("page", "program", "arguments"), ALL, ids=shown)
def test_a_command_is_understood(page: Path, program: str, arguments: list[str]) -> None:
    if arguments == ["--list-nets"]:
        return  # answered by the parser itself: tests/zoo/test_users.py
    if program in ARGPARSE:
        import_module(f"sr.commands.{program}").parse(arguments)
        return
    assert program in HYDRA
    check_command_line(arguments)
    of_the_user = any(each.startswith(("--config-dir", "hydra.searchpath")) for each in arguments)
    if "-m" in arguments or of_the_user or not arguments or arguments[0].startswith("--"):
        return  # sweeps are composed for each job; options of the user are in tests/test_extending.py
    given = [each for each in with_named_nodes(arguments) if not each.startswith("hydra.")]
    compose_config(*given, program=HYDRA[program])
