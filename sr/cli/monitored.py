"""`monitor=niqe` alone: what is monitored is measured."""

import re
import sys
from collections.abc import Sequence

from sr.cli.command_line import CONF

GROUP = "measure"


def with_monitored(arguments: Sequence[str]) -> list[str]:
    """The arguments, and the options of the group `measure` that `monitor` names where no measure is chosen.

    What is added is said.
    """
    chosen = any(text.lstrip("+~").startswith((f"{GROUP}=", f"{GROUP}.")) for text in arguments)
    monitors = [text for text in arguments if text.startswith("monitor=")]
    if chosen or not monitors:
        return [*arguments]
    names = re.findall(r"\w+", monitors[-1].partition("=")[2])
    shipped = [name for name in dict.fromkeys(names) if (CONF / GROUP / f"{name}.yaml").is_file()]
    if not shipped:
        return [*arguments]
    further = f"{GROUP}=[{','.join(shipped)}]"
    print(f"{monitors[-1]}: every validation measures what it names ({further})", file=sys.stderr)
    place = arguments.index(monitors[-1]) + 1  # not behind Hydra's own options
    return [*arguments[:place], further, *arguments[place:]]
