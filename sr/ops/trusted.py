"""Classes that a file names by their import path. Only the user's trust lets a file name code that runs."""

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class NotTrustedError(ValueError):
    """A class that a file names cannot be taken.

    Attributes:
        package: the package to trust, where trust is what is missing; otherwise None.
    """

    def __init__(self, message: str, *, package: str | None = None) -> None:
        super().__init__(message)
        self.package = package


def import_path(kind: type[Any]) -> str:
    """The path under which `trusted_class` finds the class again, such as `sr.degradations.blur.Blur`."""
    return f"{kind.__module__}.{kind.__qualname__}"


def trusted_packages(home: str, trust: Sequence[str]) -> tuple[str, ...]:
    """The packages whose classes a file may name.

    Args:
        home: our own package for such classes, such as `sr.archs`. An installed package may declare itself in the entry
            point group of that name; who installs it trusts it.
        trust: the packages that the user names.
    """
    declared = (entry.module for entry in entry_points(group=home))
    return tuple(dict.fromkeys((home, *declared, *trust)))


def trusted_class(path: str, *, packages: Sequence[str]) -> type[Any]:
    """The class under an import path, if the path and the class itself are in the packages.

    A module outside them is never imported, because an import runs code. What a package has imported from elsewhere is
    not of the package, because such a path would lead out of it.

    Args:
        path: the import path, as `import_path` gives it.
        packages: the names of the packages that are trusted, such as `sr.archs`.

    Raises:
        NotTrustedError: the path leads to something else or to nothing; the message says to what.
    """
    if not PATH.fullmatch(path):
        raise NotTrustedError(f"{path!r} is not the import path of a class")
    module, _, name = path.rpartition(".")
    if not _inside(module, packages):
        raise NotTrustedError(
            f"{path} is not in {' or '.join(packages)}, and a file alone never names code that runs",
            package=module.partition(".")[0],
        )
    found = getattr(_import(module, path), name, None)
    if not isinstance(found, type):
        kind = "nothing" if found is None else f"a {type(found).__name__}"
        raise NotTrustedError(f"{path} is {kind}, not a class")
    if not _inside(found.__module__, packages):
        raise NotTrustedError(f"{path} is {import_path(found)}, which is not in {' or '.join(packages)}")
    return found


def _inside(module: str, packages: Sequence[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _import(module: str, path: str) -> object:
    try:
        if find_spec(module) is not None:
            return import_module(module)
    except ModuleNotFoundError as error:
        # The module itself, or a parent that is no package; otherwise something that it imports.
        if error.name is not None and not f"{module}.".startswith(f"{error.name}."):
            raise NotTrustedError(
                f"{path}: {module} needs {error.name}, which is not installed here"
            ) from error
    raise NotTrustedError(
        f"{path}: there is no module {module} here; install its package, or put its folder into PYTHONPATH"
    )
