"""The nets inside this package: a name is the name of a file in this folder, and the file says what the net is.

Nothing large is imported here, so that a command line can name the nets in its help.
"""

import json
from pathlib import Path

from sr.ops.paths import why_no_file

FOLDER = Path(__file__).parent
SUFFIX = ".safetensors"
DEFAULT = "general-x4"  # what sr-upscale takes where the user names no net


def net_names() -> list[str]:
    """The names of all nets in the package."""
    return sorted(file.stem for file in FOLDER.glob(f"*{SUFFIX}"))


def shipped_file(name: str) -> Path:
    """The file of a net in the package.

    Raises:
        ValueError: there is none of that name; the message has the names.
    """
    if name not in net_names():
        raise ValueError(f"{name} is no net in this package: {_choices()}")
    return FOLDER / f"{name}{SUFFIX}"


def weights_path(text: str | Path) -> Path:
    """The path that a word names: a net in the package by its name, or else any file by its path.

    A name comes before a file of the same name in the working directory, as `bicubic` does; that file is `./NAME`
    (`shadowed` says so).
    """
    return shipped_file(str(text)) if text in net_names() else Path(text).expanduser()


def weights_file(text: str | Path) -> Path:
    """The same, where it is a file.

    Raises:
        FileNotFoundError: there is neither a net of that name nor a file; the message has the names.
    """
    path = weights_path(text)
    if wrong := why_no_file(path):
        raise FileNotFoundError(
            f"checkpoint {text} {wrong}: name a file of weights or a net in this package: {_choices()}"
        )
    return path


def shadowed(text: str) -> str:
    """What is said where a net in the package has the name of something in the working directory; empty otherwise."""
    if text in net_names() and Path(text).exists():
        return f"{text} is the net in this package, and not what lies here under that name, which is ./{text}"
    return ""


def read_card(name: str) -> dict[str, str]:
    """The model card in the file of a net (`sr.export.card`), with what was measured of it (`sr.zoo.card`)."""
    with shipped_file(name).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        card: dict[str, str] = json.loads(file.read(length)).get("__metadata__", {})
    return card


def _choices() -> str:
    names = net_names()
    return f"choose from {', '.join(names)}" if names else "it holds none"
