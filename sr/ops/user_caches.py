"""Where this program keeps what it can make again."""

import os
from pathlib import Path


def user_caches() -> Path:
    """The folder of this program among the user's caches."""
    return (Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "sr-lightning").expanduser()
