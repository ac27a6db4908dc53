"""Imports point one way, and the configuration libraries stay at the front door."""

import ast
from collections.abc import Iterator

import pytest
from helpers import ROOT

# Room -> rooms of `sr` that it may import, besides itself.
ALLOWED: dict[str, set[str]] = {
    "ops": set(),
    "archs": set(),
    "config": {"metrics"},
    "features": {"ops"},
    "losses": {"features", "ops"},
    "metrics": {"features", "ops"},
    "loggers": {"metrics", "ops"},
    "pictures": {"ops"},
    "degradations": {"ops", "pictures"},
    "data": {"degradations", "ops", "pictures"},
    "training": {"metrics", "ops"},
    "weights": {"archs", "ops"},
    "zoo": {"ops"},
    "run": {"ops", "weights", "zoo"},
    "callbacks": {"archs", "loggers", "metrics", "ops", "pictures", "run", "training"},
    "evaluation": {"archs", "data", "degradations", "metrics", "ops", "pictures", "weights", "zoo"},
    "export": {"ops", "weights"},
    "upscale": {"ops", "pictures", "video", "weights"},
    "video": {"ops", "pictures"},
    "geo": {"ops", "pictures", "upscale"},
    "sweep": {"metrics", "ops"},
    "cli": {"config", "ops", "zoo"},
    "reference": {"cli", "config", "ops", "run"},
}
# A command reads what a user types, and imports a program where that is run; a program may import every room above.
COMMANDS, PROGRAMS = "commands", "programs"
# Where the configuration libraries are at home; every other class is usable with keyword arguments alone.
CONFIGURED = {"cli", "config", COMMANDS, PROGRAMS}
FRONT_DOOR = {
    "sr/reference/arguments.py",
    "sr/reference/options.py",
    "sr/run/directory.py",
    "sr/run/preflight.py",
    "sr/sweep/callback.py",
    "sr/sweep/optuna_search.py",
    "sr/sweep/run_names.py",
    "sr/sweep/space.py",
    "sr/sweep/summary.py",
    "sr/sweep/wandb_summary.py",
}
FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "sr").rglob("*.py"))


def imported(file: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("file", FILES)
def test_imports_point_one_way(file: str) -> None:
    room = room_of(file)
    allowed = {*ALLOWED, PROGRAMS} if room in (COMMANDS, PROGRAMS) else ALLOWED.get(room, set())
    for name in imported(file):
        top, *rest = name.split(".")
        if top == "sr":
            assert rest, f"{file}: never `import sr`, which a tensor of that name would hide"
            assert rest[0] in allowed | {room}, f"{file} imports {name}"
        if top in ("hydra", "omegaconf"):
            assert room in CONFIGURED or file in FRONT_DOOR, f"{file} imports {name}"


@pytest.mark.parametrize("file", [*FILES, "train.py", "evaluate.py"])
def test_nothing_that_windows_lacks_is_imported_with_a_module(file: str) -> None:
    top = [
        node
        for node in ast.parse((ROOT / file).read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    names = {
        name
        for node in top
        for name in ([each.name for each in node.names] if isinstance(node, ast.Import) else [node.module])
    }
    assert not names & {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios"}


def test_the_library_of_an_extra_is_not_imported_with_a_module() -> None:
    assert not [file for file in FILES if "pytorch_optimizer" in imported(file)]
    assert [file for file in FILES if "av" in imported(file)] == ["sr/video/library.py"]
    assert [file for file in FILES if "rasterio.enums" in imported(file)] == ["sr/geo/library.py"]


def room_of(file: str) -> str:
    return file.removesuffix(".py").split("/")[1]


def test_every_room_is_known() -> None:
    assert {room_of(file) for file in FILES} - {"__init__"} == {*ALLOWED, COMMANDS, PROGRAMS}
