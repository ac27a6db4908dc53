"""Names that hold a text, which stand for a node of the command line where only a word may stand: `sr.cli.nodes`."""

import base64
import re
from binascii import Error

PREFIX = "inline_"
NAME = re.compile(rf"\b{PREFIX}[\w-]+")


def node_name(text: str) -> str:
    """A word of letters, digits, _ and - that holds the text."""
    return f"{PREFIX}{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def node_text(choice: str) -> str:
    """What the user typed in the place of this choice; a choice that is no such name is returned as it is.

    Raises:
        ValueError: the name holds no text.
    """
    if not choice.startswith(PREFIX):
        return choice
    code = choice.removeprefix(PREFIX)
    try:
        return base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode()
    except (Error, UnicodeDecodeError) as error:
        raise ValueError(f"{choice} is not the name of a node of this program") from error
