"""A node in the place of a choice: `degradation={_target_: ..., ...}` on the command line, as it would stand in YAML.

Hydra takes words alone for the choices of a group. So the node becomes an option of the group whose name holds it, and
which any process that gets this name can read: the jobs of a sweep and the processes of a run repeat the command line.
"""

import re
from collections.abc import Sequence

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep

from sr.cli.command_line import CONF
from sr.ops.node_names import NAME, node_name, node_text

GROUP = re.compile(r"\+{0,2}(\w+)(@[\w.]+)?")


def with_named_nodes(arguments: Sequence[str]) -> list[str]:
    """The arguments with names in the place of nodes; Hydra finds the nodes under these names afterwards."""
    named = [_named(argument) for argument in arguments]
    for argument in named:
        if group := _group(argument):
            for name in NAME.findall(argument.partition("=")[2]):
                ConfigStore.instance().store(group=group, name=name, node=_read(f"{group}={node_text(name)}"))
    return named


def _group(argument: str) -> str | None:
    """The group whose choice this is."""
    found = GROUP.fullmatch(argument.partition("=")[0])
    return found[1] if found and (CONF / found[1]).is_dir() else None


def _named(argument: str) -> str:
    key, _, value = argument.partition("=")
    if "{" not in value or _group(argument) is None:
        return argument
    override = OverridesParser.create().parse_override(argument)
    found = override.value()
    if isinstance(found, ChoiceSweep):
        # Each by itself, because every job gets one of them.
        choices = [
            node_name(text) if text.startswith("{") else text for text in override.sweep_string_iterator()
        ]
        return f"{key}={','.join(choices)}"
    return f"{key}={node_name(value)}" if isinstance(found, dict) else argument


def _read(text: str) -> dict[str, object]:
    node = OverridesParser.create().parse_override(text).value()
    if not isinstance(node, dict):
        raise ValueError(f"{text}: a node is written as {{key: value, ...}}")
    return {str(key): value for key, value in node.items()}
