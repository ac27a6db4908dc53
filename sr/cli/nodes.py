"""A node in the place of a choice: `degradation={_target_: ..., ...}` on the command line, as it would stand in YAML.

Hydra takes words alone for the choices of a group. So the node becomes an option of the group whose name holds it, and
which any process that gets this name can read: the jobs of a sweep and the processes of a run repeat the command line.
"""

import base64
import re
from binascii import Error
from collections.abc import Sequence

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.cli.command_line import CONF

PREFIX = "inline_"
NAMED = re.compile(rf"\+{{0,2}}(?P<group>\w+)(@[\w.]+)?={PREFIX}(?P<name>[\w-]+)")


def with_named_nodes(arguments: Sequence[str]) -> list[str]:
    """The arguments with names in the place of nodes; Hydra finds the nodes under these names afterwards."""
    named = [_named(argument) for argument in arguments]
    for argument in named:
        if found := NAMED.fullmatch(argument):
            node = _read(f"{found['group']}={node_text(PREFIX + found['name'])}")
            ConfigStore.instance().store(group=found["group"], name=PREFIX + found["name"], node=node)
    return named


def node_text(choice: str) -> str:
    """What the user typed in the place of this choice; a choice that is no such name is returned as it is."""
    if not choice.startswith(PREFIX):
        return choice
    code = choice.removeprefix(PREFIX)
    try:
        return base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode()
    except (Error, UnicodeDecodeError) as error:
        raise ValueError(f"{choice} is not the name of a node of this program") from error


def _named(argument: str) -> str:
    key, _, value = argument.partition("=")
    group = key.lstrip("+").partition("@")[0]
    if not value.startswith("{") or not (CONF / group).is_dir():
        return argument
    return f"{key}={PREFIX}{base64.urlsafe_b64encode(value.encode()).decode().rstrip('=')}"


def _read(text: str) -> dict[str, object]:
    node = OverridesParser.create().parse_override(text).value()
    assert isinstance(node, dict)  # `check_command_line` has refused what is none
    return {str(key): value for key, value in node.items()}
