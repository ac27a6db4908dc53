"""The choice of what the generator keeps: by what it takes and what is free, and one for all processes."""

import threading
from pathlib import Path

import pytest

from sr.run import generator_memory
from sr.run.generator_memory import choose_memory, first_word

GIB = 2**30
KEPT = {"plain": 8 * GIB, "lean": 2 * GIB}
RRDBNET, OTHERS = ("auto", "plain", "lean", "checkpoint"), ("auto", "plain", "checkpoint")


@pytest.mark.parametrize(
    ("choices", "free", "chosen"),
    [
        (RRDBNET, 16, "plain"),  # exactly half
        (RRDBNET, 15.99, "lean"),
        (RRDBNET, 4, "lean"),
        (RRDBNET, 3.99, "checkpoint"),
        (OTHERS, 16, "plain"),
        (OTHERS, 15.99, "checkpoint"),
        (OTHERS, 0, "checkpoint"),
        (("auto", "plain"), 0, "plain"),  # there is nothing else
    ],
)
def test_the_fastest_that_takes_half_of_what_is_free(
    choices: tuple[str, ...], free: float, chosen: str
) -> None:
    assert choose_memory(choices, kept=KEPT.__getitem__, free=int(free * GIB))[0] == chosen


def test_why_is_said_in_numbers() -> None:
    def why(free: int) -> str:
        return choose_memory(RRDBNET, kept=KEPT.__getitem__, free=free * GIB)[1]

    assert why(20) == "plain keeps about 8.00 GiB for the backward pass, of 20.00 GiB that are free"
    assert why(10) == (
        "lean keeps about 2.00 GiB for the backward pass, of 10.00 GiB that are free; plain would keep 8.00 GiB, which"
        " is more than half of it"
    )
    assert why(3) == (
        "3.00 GiB are free; plain would keep 8.00 GiB, which is more than half of it; lean would keep 2.00 GiB, which"
        " is more than half of it"
    )


def test_processes_agree_on_the_word_of_the_first(tmp_path: Path) -> None:
    file, words = tmp_path / "run" / ".memory-8", [f"word {number}" for number in range(8)]
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda word=word: said.append(first_word(file, word))) for word in words
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8
    assert len(set(said)) == 1
    assert said[0] in words
    assert first_word(file, "late") == said[0]


def test_a_process_that_died_while_it_wrote_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator_memory, "PATIENCE", 0.05)
    (tmp_path / "file").touch()
    assert first_word(tmp_path / "file", "mine") == "mine"
