"""Folders of configuration -> JSON schemas."""

import argparse
import json

from sr.cli.shipped import shipped_configuration
from sr.config import ROOTS, register_schemas
from sr.run.directory import register_resolvers

try:
    from sr.reference.options import read_options
    from sr.reference.schema import schemas
except ModuleNotFoundError as error:
    if error.name != "docstring_parser":
        raise
    raise RuntimeError("sr-schemas needs docstring_parser: pip install 'sr-lightning[docs]'") from error


def run(options: argparse.Namespace) -> None:
    """Write the schemas, and say what a file has to begin with."""
    register_schemas()
    register_resolvers()
    found = schemas(read_options([shipped_configuration(), *options.config_dir]), ROOTS)
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, schema in found.items():
        (options.directory / name).write_text(json.dumps(schema, indent=1) + "\n", encoding="utf-8")
    print(
        f"{len(found)} schemas in {options.directory}. A file of yours begins with that of its group, as in"
    )
    print(f"# yaml-language-server: $schema={options.directory.resolve().as_uri()}/generator.json")
