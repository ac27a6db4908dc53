"""What mkdocs adds to the guides: a page for every group of keys, one for every room of the code, and the schemas."""

import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from sr.cli.shipped import shipped_configuration
from sr.config import ROOTS, register_schemas
from sr.reference.options import read_options
from sr.reference.pages import pages
from sr.reference.schema import schemas
from sr.run.directory import register_resolvers

CODE = Path(__file__).parents[1]
# The rooms whose classes and functions are of use in a program of one's own.
ROOMS = (
    "archs",
    "losses",
    "metrics",
    "degradations",
    "pictures",
    "data",
    "training",
    "callbacks",
    "loggers",
    "weights",
    "evaluation",
    "upscale",
    "video",
    "export",
    "ops",
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the generated pages to the navigation."""
    groups = read_groups()
    reference: list[Any] = [{"Every key": "reference/index.md"}]
    reference += [{group: f"reference/{group.replace('/', '.')}.md"} for group in groups]
    assert config.nav is not None
    config.nav += [{"Configuration": reference}, {"Python": [{room: f"api/{room}.md"} for room in ROOMS]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the pages and schemas."""
    groups = read_groups()
    generated = {f"reference/{name}": text for name, text in pages(groups, ROOTS).items()}
    generated |= {f"api/{room}.md": api_page(room) for room in ROOMS}
    generated |= {
        f"schemas/{name}": json.dumps(schema, indent=1) for name, schema in schemas(groups, ROOTS).items()
    }
    for path, content in generated.items():
        files.append(File.generated(config, path, content=content))
    return files


def api_page(room: str) -> str:
    """Every module of a room, for mkdocstrings."""
    modules = [
        ".".join(path.relative_to(CODE.parent).with_suffix("").parts)
        for path in sorted((CODE / room).rglob("*.py"))
        if not path.name.startswith("_") and not path.name.startswith("private_")
    ]
    return "\n\n".join((f"# sr.{room}", *(f"::: {module}" for module in modules))) + "\n"


def read_groups() -> Any:
    register_schemas()
    register_resolvers()
    return read_options([shipped_configuration()])
