"""Imports point one way, and the configuration libraries stay at the front door."""

import ast
from collections.abc import Iterator

import pytest
from helpers import ROOT

# Room -> rooms of `sr` that it may import, besides itself.
ALLOWED: dict[str, set[str]] = {
    "ops": set(),
    "archs": set(),
    "config": set(),
    "losses": {"ops"},
    "metrics": {"ops"},
    "loggers": {"metrics", "ops"},
    "pictures": {"ops"},
    "degradations": {"ops", "pictures"},
    "data": {"degradations", "ops", "pictures"},
    "training": {"metrics", "ops"},
    "weights": {"archs", "ops"},
    "run": {"ops", "weights"},
    "callbacks": {"archs", "loggers", "metrics", "ops", "pictures", "run", "training"},
    "evaluation": {"archs", "data", "degradations", "metrics", "ops", "pictures", "weights"},
    "export": {"ops", "weights"},
    "upscale": {"ops", "pictures", "weights"},
    "sweep": {"metrics", "ops"},
    "cli": {"config", "ops", "pictures"},
}
# Run by themselves, as train.py and evaluate.py are: they compose a configuration.
PROGRAMS = {
    "sr/data/check/__main__.py",
    "sr/data/pack/__main__.py",
    "sr/degradations/preview/__main__.py",
    "sr/export/__main__.py",
    "sr/loggers/workspace/__main__.py",
    "sr/upscale/__main__.py",
}
# Where the configuration libraries are at home; every other class is usable with keyword arguments alone.
CONFIGURED = {"cli", "config"}
FRONT_DOOR = {
    "sr/run/directory.py",
    "sr/run/preflight.py",
    "sr/sweep/optuna_search.py",
    "sr/sweep/run_names.py",
    "sr/sweep/space.py",
    "sr/sweep/summary.py",
    "sr/sweep/wandb_summary.py",
} | PROGRAMS
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
    room = file.removesuffix(".py").split("/")[1]
    allowed = ALLOWED.get(room, set()) | {room} | (CONFIGURED if file in PROGRAMS else set())
    for name in imported(file):
        top, *rest = name.split(".")
        if top == "sr":
            assert rest, f"{file}: never `import sr`, which a tensor of that name would hide"
            assert rest[0] in allowed, f"{file} imports {name}"
        if top in ("hydra", "omegaconf"):
            assert room in CONFIGURED or file in FRONT_DOOR, f"{file} imports {name}"
        assert name not in module_names(PROGRAMS), f"{file} imports {name}, a program"


def module_names(files: set[str]) -> set[str]:
    return {file.removesuffix(".py").replace("/", ".") for file in files}


def test_every_room_is_known() -> None:
    assert {file.removesuffix(".py").split("/")[1] for file in FILES} - {"__init__"} == set(ALLOWED)
