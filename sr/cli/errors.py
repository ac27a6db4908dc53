"""What a user is told when a program ends in an error."""

import os
import re
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from hydra.errors import HydraException, InstantiationException
from lightning.fabric.utilities.exceptions import MisconfigurationException
from omegaconf.errors import OmegaConfBaseException

from sr.cli.hydra_errors import ROOT_KEYS, explain_composition
from sr.pictures.picture import UnreadableImageError

# Our own folder and the two programs: an error raised there is a message to the user.
ROOT = Path(__file__).parents[2]
OURS = (str(ROOT / "sr") + os.sep, str(ROOT / "train.py"), str(ROOT / "evaluate.py"))
MARK = "SR_READABLE_ERRORS"


@contextmanager
def readable_errors() -> Iterator[None]:
    """Turn what a user can correct into one message on standard error and exit status 1.

    That is every error of Hydra, OmegaConf and Lightning's argument checks, every OSError that names a file, and every
    ValueError, OSError and RuntimeError raised by our own code. Anything else is a bug, ours or a library's, and keeps
    its traceback; HYDRA_FULL_ERROR=1 keeps all of them. The function that Hydra calls needs this around its body too:
    Hydra adds a line with all overrides to an exception that leaves that function, but not where the program exits.
    """
    if os.environ.get("HYDRA_FULL_ERROR") == "1" and MARK not in os.environ:
        yield
        return
    before = {name: os.environ.get(name) for name in ("HYDRA_FULL_ERROR", MARK)}
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands errors on instead of printing them itself
    os.environ[MARK] = "1"  # processes started from here see that it was not the user who asked for them
    try:
        yield
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        print("(HYDRA_FULL_ERROR=1 shows the traceback)", file=sys.stderr)
        sys.exit(1)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def explain(error: BaseException) -> str | None:
    """The message for a user; None for a bug."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        key = re.search(r"full_key: (\S+)", str(error))
        place = f" (in the configuration under {_written(key.group(1))})" if key else ""
        return f"{_missing_module(error.__cause__) or _text(error.__cause__)}{place}"
    if isinstance(error, HydraException | OmegaConfBaseException):
        return explain_composition(error)
    if (message := _of_a_library(error)) is not None:
        return message
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MisconfigurationException | UnreadableImageError) or _raised_by_us(error):
        return _text(error)
    return None


def _missing_module(error: BaseException) -> str | None:
    """The message where the module of a `_target_`, or one that it imports, is not here."""
    missing = re.search(
        r"Error loading '([\w.]+)':\nModuleNotFoundError\(\"No module named '(\w+)'\"\)", str(error)
    )
    if missing is None:
        return None
    return (
        f"{missing[1]} needs the module {missing[2]}, which is not here: install its package, or put its folder into"
        " PYTHONPATH"
    )


def _of_a_library(error: BaseException) -> str | None:
    """The message for errors of libraries that a user can mend but that do not say how; None for all others."""
    text = str(error)
    if isinstance(error, RuntimeError) and re.search("Connection (closed|reset) by peer", text):
        return "another process of this run has ended; its own message says why, unless it was killed"
    if isinstance(error, RuntimeError) and text.startswith("DataLoader worker (pid"):
        return (
            f"a loader process was killed ({text.split('. ')[0]}), perhaps for want of memory: try a smaller"
            " data.num_workers; resume=auto goes on from the last checkpoint"
        )
    if isinstance(error, RuntimeError) and text.startswith('Could not detect "srun"'):
        return (
            "hydra/launcher=slurm: this machine has no SLURM (srun is not installed); start it on a cluster"
        )
    if isinstance(error, ValueError) and text.startswith("Only one of --run, --multirun"):
        return text  # of Hydra, about its own options
    if isinstance(error, BrokenProcessPool):
        return "a process was killed that was at work for this one, perhaps for want of memory: try fewer --workers"
    return None


def _written(key: str) -> str:
    """The key under which a user writes a node: `model` and `data` hold copies of those of other groups."""
    inner = key.partition(".")[2]
    copied = key.startswith(("model.", "data.")) and inner.partition(".")[0] in ROOT_KEYS
    return inner if copied else key


def _raised_by_us(error: BaseException) -> bool:
    if not isinstance(error, ValueError | OSError | RuntimeError):
        return False
    # A loader process sends its traceback as the text of the message.
    frames = re.findall(r'File "([^"]+)"', str(error)) if "Original Traceback" in str(error) else []
    frames = frames or [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return bool(frames) and frames[-1].startswith(OURS)


def _text(error: BaseException) -> str:
    """The message without the traceback that a loader process wraps around it."""
    text = str(error)
    if "Original Traceback" in text:
        text = re.split(r"\n[\w.]+(?:Error|Exception): ", text)[-1].strip()
    return text
