"""Files that training leaves out, by a list such as `sr-check` writes."""

import logging
from pathlib import Path

from sr.data.sources import ImageFiles
from sr.ops.paths import why_no_file

log = logging.getLogger(__name__)


def without(images: ImageFiles, file: str | None) -> ImageFiles:
    """Leave out the images that a list names.

    Args:
        file: a text file with one path below `images.root` per line; two spaces and a # begin a comment. None leaves
            out nothing.

    Raises:
        FileNotFoundError: the list does not exist.
        ValueError: the list is not a text file, names an image that does not exist, or leaves no image.
    """
    if file is None:
        return images
    path = Path(file).expanduser()
    if wrong := why_no_file(path):
        raise FileNotFoundError(f"data.exclude={file} {wrong}: name a list of files")
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"data.exclude={file} is not a text file: name a list of files, one on each line"
        ) from error
    named = [line.split("  #")[0].strip() for line in lines]
    named = [name for name in named if name and not name.startswith("#")]
    present = {each.relative_to(images.root).as_posix(): each for each in images.paths}
    unknown = [name for name in named if name not in present]
    if unknown:
        others = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
        raise ValueError(f"data.exclude={file}: {unknown[0]}{others} is not an image below {images.root}")
    left = [each for name, each in present.items() if name not in set(named)]
    if not left:
        raise ValueError(f"data.exclude={file} leaves none of the {len(present)} images below {images.root}")
    log.info("%d of %d images are left out by %s", len(present) - len(left), len(present), file)
    return ImageFiles(left, root=images.root, channels=images.channels)
