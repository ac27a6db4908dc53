"""JSON schemas of configuration files for editors: `python -m sr.reference DIR`."""

import argparse
import json
from pathlib import Path

from sr.cli.command_line import CONF
from sr.cli.errors import readable_errors
from sr.config import ROOTS, register_schemas
from sr.reference.options import read_options
from sr.reference.schema import schemas
from sr.run.directory import register_resolvers


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sr.reference", description=__doc__)
    parser.add_argument("directory", type=Path, help="where the schemas are written")
    parser.add_argument(
        "--config-dir",
        type=Path,
        action="append",
        default=[],
        help="a folder of groups of your own, whose options and classes belong to the schemas too",
    )
    options = parser.parse_args()
    with readable_errors():
        write_schemas(options.directory, [CONF, *options.config_dir])


def write_schemas(directory: Path, folders: list[Path]) -> None:
    """Write the schemas of folders of configuration, and say what a file has to begin with."""
    register_schemas()
    register_resolvers()
    found = schemas(read_options(folders), ROOTS)
    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in found.items():
        (directory / name).write_text(json.dumps(schema, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found)} schemas in {directory}. A file of yours begins with the schema of its group, as in")
    print(f"# yaml-language-server: $schema={directory.resolve().as_uri()}/generator.json")


if __name__ == "__main__":
    main()
