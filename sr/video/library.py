"""PyAV, the library of the extra `video`, which is imported only where a film is at work."""

import os
from importlib.util import find_spec
from typing import Any

INSTALL = "films need the library PyAV: pip install 'sr-lightning[video]' (with the quotes)"


def has_av() -> bool:
    """Whether the library is installed."""
    return find_spec("av") is not None


def import_av() -> Any:
    """The module `av`. Raises RuntimeError with what to install."""
    os.environ.setdefault("SVT_LOG", "1")  # its encoder for AV1 would print its settings; 1 leaves the errors
    try:
        import av
    except ImportError as error:
        raise RuntimeError(INSTALL) from error
    return av
