"""Classes that a file names by their import path. Only the user's trust lets a file name code that runs."""

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def import_path(kind: type[Any]) -> str:
    """The path under which `trusted_class` finds the class again, such as `sr.degradations.blur.Blur`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def trusted_class(path: str, *, packages: Sequence[str]) -> type[Any] | None:
    """The class under an import path, if it is defined in one of the packages.

    A module outside them is never imported, because an import runs code. What a module has itself imported does not
    count as defined in it, because such a path would lead out of the package.

    Args:
        path: the import path, as `import_path` gives it.
        packages: the names of the packages that are trusted, such as `sr.archs`.

    Returns:
        The class, or None where the path leads to something else or to nothing.
    """
    if not PATH.fullmatch(path):
        return None
    module, _, name = path.rpartition(".")
    if not any(module == package or module.startswith(f"{package}.") for package in packages):
        return None
    try:
        known = find_spec(module) is not None
    except ModuleNotFoundError:  # one of the parents is no package
        known = False
    found = getattr(import_module(module), name, None) if known else None
    return found if isinstance(found, type) and found.__module__ == module else None
