"""The words that start a program of ours, for the user who reads them and for a process that starts another.

`python train.py` and `sr-train` are the same program. What we print is the form that the user has typed.
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]  # beside an installed package there are no such files
FILES = ("train.py", "evaluate.py")


def to_type(name: str) -> list[str]:
    """The words with which the user of this process starts another program.

    Args:
        name: the name of the program, as `evaluate`.
    """
    if f"{name}.py" in FILES and _started_by_file():
        return ["python", str(Path(sys.argv[0]).with_name(f"{name}.py"))]
    return [f"sr-{name}"]


def to_start(name: str) -> list[str]:
    """The command with which this process starts a program in the same environment.

    Args:
        name: the name of the program, as `train`.
    """
    if f"{name}.py" in FILES and _started_by_file():  # the repository need not be installed then
        return [sys.executable, str(REPOSITORY / f"{name}.py")]
    return [sys.executable, "-m", f"sr.commands.{name}"]


def _started_by_file() -> bool:
    """Whether this process runs train.py or evaluate.py of the repository."""
    return Path(sys.argv[0]).resolve() in [(REPOSITORY / file).resolve() for file in FILES]
