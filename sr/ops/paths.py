"""What messages say of a path."""

from pathlib import Path


def why_no_file(path: Path) -> str:
    """The reason why a path is not a file, as a message says it after the path; empty for a file."""
    if path.is_file():
        return ""
    return "is a folder" if path.is_dir() else "does not exist"
