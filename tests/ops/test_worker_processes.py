"""Work in other processes: its results in order, and its errors."""

import os
from functools import partial

import pytest

from sr.ops.worker_processes import in_processes


def shouted(word: str, *, mark: str) -> tuple[str, int]:
    if not word:
        raise ValueError("there is no word")
    return word.upper() + mark, os.getpid()


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_from_other_processes(workers: int) -> None:
    words = [chr(97 + number) for number in range(20)]
    found = in_processes(partial(shouted, mark="!"), words, workers=workers, doing="shouting", together=2)
    assert [each for each, _ in found] == [f"{word.upper()}!" for word in words]
    assert 1 <= len({process for _, process in found} - {os.getpid()}) <= workers


def test_an_error_of_one_ends_all() -> None:
    with pytest.raises(ValueError, match=r"^there is no word$"):
        in_processes(partial(shouted, mark=""), ["a", "", "b"], workers=1, doing="shouting")
