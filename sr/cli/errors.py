"""What a user is told when a program ends in an error.

Nothing of a library is imported here, so that a program can answer `--help` at once. What a library says is explained
by functions that the programs hand in which use it, such as `sr.cli.hydra_errors.explain_hydra`.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

# Takes an error; gives the message for a user, or None for an error that it does not know.
Explainer = Callable[[BaseException], str | None]

OURS = str(Path(__file__).parents[1]) + os.sep  # an error raised there is a message to the user
MARK = "SR_READABLE_ERRORS"


@contextmanager
def readable_errors(*explainers: Explainer) -> Iterator[None]:
    """Turn what a user can correct into one message on standard error and exit status 1.

    That is every error that an explainer knows, every OSError that names a file, and every ValueError, OSError and
    RuntimeError raised by our own code. Anything else is a bug, ours or a library's, and keeps its traceback;
    HYDRA_FULL_ERROR=1 keeps all of them. The function that Hydra calls needs this around its body too: Hydra adds a
    line with all overrides to an exception that leaves that function, but not where the program exits.

    Args:
        explainers: functions that know the errors of the libraries in use.
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
        message = explain(error, *explainers)
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


def explain(error: BaseException, *explainers: Explainer) -> str | None:
    """The message for a user; None for a bug."""
    for explainer in (*explainers, _of_a_library):
        if (message := explainer(error)) is not None:
            return message
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return text_of(error) if _raised_by_us(error) else None


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
    if isinstance(error, BrokenProcessPool):
        return "a process was killed that was at work for this one, perhaps for want of memory: try fewer --workers"
    return None


def _raised_by_us(error: BaseException) -> bool:
    if not isinstance(error, ValueError | OSError | RuntimeError):
        return False
    # A loader process sends its traceback as the text of the message.
    frames = re.findall(r'File "([^"]+)"', str(error)) if "Original Traceback" in str(error) else []
    frames = frames or [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return bool(frames) and frames[-1].startswith(OURS)


def text_of(error: BaseException) -> str:
    """The message without the traceback that a loader process wraps around it."""
    text = str(error)
    if "Original Traceback" in text:
        text = re.split(r"\n[\w.]+(?:Error|Exception): ", text)[-1].strip()
    return text
