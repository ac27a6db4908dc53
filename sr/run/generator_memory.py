"""What the generator keeps for the backward pass, chosen by what it would take and what is free."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

AUTO = "auto"
ORDER = ("plain", "lean", "checkpoint")  # from the fastest to the one that keeps the least
# The share of the free memory that may be kept. The rest is for what is not estimated: weights, their gradients and
# averages, the states of optimizers, the discriminator, the features of losses, and the scratch memory of layers.
SHARE = 0.5
PATIENCE = 10  # seconds for another process to write a word


def choose_memory(choices: Collection[str], *, kept: Callable[[str], int], free: int) -> tuple[str, str]:
    """The fastest choice that fits, and a sentence that says why; the one that keeps the least where none does.

    Args:
        choices: the words that the argument `memory` of the net can be.
        kept: gives the bytes that a choice keeps; it is not asked for the last choice.
        free: the bytes that are free for this process.
    """
    *others, last = [choice for choice in ORDER if choice in choices]
    too_large: list[str] = []
    for choice in others:
        size = kept(choice)
        if size <= SHARE * free:
            why = f"{choice} keeps about {_gib(size)} for the backward pass, of {_gib(free)} that are free"
            return choice, "; ".join([why, *too_large])
        too_large.append(f"{choice} would keep {_gib(size)}, which is more than half of it")
    return last, "; ".join([f"{_gib(free)} are free", *too_large])


def first_word(file: Path, word: str) -> str:
    """The word of the process that comes first, for all processes that ask with this file.

    Processes of one run may see different amounts of free memory, and are started in several ways before they can talk
    to each other; what they share is the directory of the run.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError), file.open("x", encoding="utf-8") as new:
        new.write(word)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if said := file.read_text(encoding="utf-8"):
            return said
        time.sleep(0.01)  # the first process has created the file and not yet written
    return word


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
