"""What `--version` prints: what a report of a fault has to name."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("sr-lightning", "torch", "lightning", "hydra-core")


def version_text() -> str:
    """One line for each package with its version, read from the installed metadata, then Python and the system.

    Nothing is imported for it, so that it answers at once and even where torch itself cannot be loaded.
    """
    lines = [(name, _version(name)) for name in PACKAGES]
    lines += [("python", platform.python_version()), ("system", platform.platform())]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:{width}}  {found}" for name, found in lines)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add `--version`; the programs that Hydra reads have it by `sr.cli.command_line.asks_for_version`."""
    parser.add_argument(
        "--version", action=_PrintVersion, help="versions of this package, torch, lightning, python"
    )


class _PrintVersion(argparse.Action):
    """As argparse's own action, which would join the lines into one."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(
            option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help=help
        )

    def __call__(self, parser: argparse.ArgumentParser, *ignored: object) -> None:
        print(version_text())
        parser.exit()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
