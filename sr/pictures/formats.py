"""What pictures are written as, apart from the writers, so that a command line can name the formats at once."""

from pathlib import Path

FORMATS = ("png", "jpg", "webp", "same")
SAME = {".png": ".png", ".jpg": ".jpg", ".jpeg": ".jpeg", ".webp": ".webp", ".tif": ".tif", ".tiff": ".tiff"}


def output_suffix(path: Path, file_format: str) -> str:
    """The suffix of what becomes of `path`; `same` is PNG where the suffix cannot be written, such as BMP."""
    return SAME.get(path.suffix.lower(), ".png") if file_format == "same" else f".{file_format}"
