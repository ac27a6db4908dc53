"""Where the shipped configuration is."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def shipped_configuration() -> Path:
    """The folder of train.yaml and the groups: inside an installed package, beside the package in the repository."""
    inside = PACKAGE / "conf"
    return inside if inside.is_dir() else PACKAGE.parent / "conf"
