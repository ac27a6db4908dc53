"""The start of a program that Hydra composes a configuration for."""

import shlex
import sys
from collections.abc import Callable

from omegaconf import OmegaConf

from sr.cli.command_line import check_command_line, sweeps
from sr.cli.errors import readable_errors
from sr.cli.hydra_errors import explain_hydra
from sr.cli.monitored import with_monitored
from sr.cli.nodes import with_named_nodes
from sr.cli.private_hydra import list_groups_without_copies
from sr.cli.version import version_text
from sr.config import register_schemas
from sr.ops.program_names import to_type


def start(task: Callable[[], None], *, prepare: Callable[[], None] | None = None) -> None:
    """Check the command line, and hand it to Hydra.

    Args:
        task: a function under `hydra.main`, which reads sys.argv.
        prepare: a function that is called before a sweep; its programs take long to import.
    """
    if "--version" in sys.argv[1:]:  # Hydra would print its own
        print(version_text())
        return
    register_schemas()
    list_groups_without_copies()
    # The usage in conf/*.yaml: `python train.py` or `sr-train`, as the user has typed it.
    OmegaConf.register_new_resolver("to_type", lambda name: shlex.join(to_type(name)), replace=True)
    with readable_errors(explain_hydra):
        check_command_line(sys.argv[1:])
        sys.argv[1:] = with_monitored(with_named_nodes(sys.argv[1:]))
        if prepare is not None and sweeps(sys.argv[1:]):
            prepare()
        task()
