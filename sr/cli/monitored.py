"""`monitor=niqe` alone: what is monitored is measured."""

import sys
from collections.abc import Sequence

from sr.cli.command_line import CONF

GROUP = "measure"


def with_monitored(arguments: Sequence[str]) -> list[str]:
    """The arguments, and the option of the group `measure` that `monitor` names where no measure is chosen.

    What is added is said.
    """
    names = [text.partition("=")[2] for text in arguments if text.startswith("monitor=")]
    chosen = any(text.lstrip("+~").startswith((f"{GROUP}=", f"{GROUP}.")) for text in arguments)
    if chosen or not names or not (CONF / GROUP / f"{names[-1]}.yaml").is_file():
        return [*arguments]
    further = f"{GROUP}=[{names[-1]}]"
    print(f"monitor={names[-1]}: every validation measures it ({further})", file=sys.stderr)
    return [*arguments, further]
