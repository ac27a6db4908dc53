"""Films by the suffix of their file, and the containers that are written; nothing large is imported here."""

from pathlib import Path

# What is read as a film. GIF is not among them: it is a picture, as it always was.
FILMS = (
    ".3gp",
    ".avi",
    ".flv",
    ".m2ts",
    ".m4v",
    ".mkv",
    ".mov",
    ".mp4",
    ".mpeg",
    ".mpg",
    ".mts",
    ".mxf",
    ".nut",
    ".ogv",
    ".ts",
    ".vob",
    ".webm",
    ".wmv",
    ".y4m",
)
# What is written: containers that keep every time stamp. The values are FFmpeg's names.
CONTAINERS = {".mkv": "matroska", ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".webm": "webm"}


def is_film(path: Path) -> bool:
    """Whether a file is read as a film."""
    return path.suffix.lower() in FILMS


def names_film(out: Path) -> bool:
    """Whether `--out` is the name of a film and not that of a folder.

    Raises:
        ValueError: it has the suffix of a film in a container that is not written.
    """
    if out.is_dir() or not is_film(out):
        return False
    if out.suffix.lower() not in CONTAINERS:
        raise ValueError(
            f"--out {out}: films are written as {', '.join(CONTAINERS)}, and {out.suffix} is not among them"
        )
    return True
