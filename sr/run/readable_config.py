"""The configuration of a run as people read it in a dashboard."""

from collections.abc import Mapping
from typing import Any

from sr.run.resume import COPY, USED, leaves

CLASS = "class"
PLUMBING = ("logger", "callbacks")


def readable(config: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """Every value once, under the key that a user types.

    The groups that are built hold copies of others, such as `model.generator` of `generator`; the copies are left out,
    and so are groups that are copied nowhere, because they have no effect. A class appears by its name under `class`.

    Args:
        config: the resolved configuration as plain dicts, lists and scalars.
        written: the same configuration with its interpolations.
    """
    copied = {name for key in USED for name in _copied(written.get(key))}
    effective = {*USED, *PLUMBING, *copied}
    return {
        key: _plain(value, written[key] if key in USED else value)
        for key, value in config.items()
        if key in effective or not isinstance(value, Mapping)
    }


def _copied(written: Any) -> set[str]:
    """The root keys that a node holds copies of."""
    return {found[1] for _, text in leaves(written) if (found := COPY.fullmatch(str(text)))}


def _plain(value: Any, written: Any) -> Any:
    """A node without copies, and with the names of classes."""
    if isinstance(value, list):
        written = (
            written if isinstance(written, list) else value
        )  # an interpolation that is no copy of a root key
        return [_plain(*pair) for pair in zip(value, written, strict=True)]
    if not isinstance(value, Mapping):
        return value
    written = written if isinstance(written, Mapping) else value
    target = str(value["_target_"]).rpartition(".")[2] if "_target_" in value else None
    return ({CLASS: target} if target else {}) | {
        key: _plain(inner, written[key])
        for key, inner in value.items()
        if not key.startswith("_") and not COPY.fullmatch(str(written[key]))
    }
