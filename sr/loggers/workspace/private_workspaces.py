"""The one name of wandb-workspaces that is not public; an upgrade that loses it fails in its test.

The library itself sends a view to the server and nothing else.
"""

from typing import Any


def as_json(view: Any) -> str:
    """A view as the JSON text that would be sent to the server."""
    text: str = view._to_model().model_dump_json(by_alias=True, exclude_none=True, indent=1)
    return text
