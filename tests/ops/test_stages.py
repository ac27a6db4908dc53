"""The next item is read, and the last one written, while one is worked on; errors stay with their items."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sr.ops.stages import Stages

MAIN = threading.current_thread().name


def stages(**functions: Callable[..., Any]) -> Stages:
    """Stages that multiply by ten, with some functions replaced."""
    usual: dict[str, Any] = {
        "read": lambda item: item,
        "read_alone": lambda item: item,
        "work": lambda item, content: 10 * content,
        "write": lambda item, made: None,
        "alone": lambda item: False,
        "expected": (ValueError,),
    }
    return Stages(**usual | functions)


def test_every_item_is_given_in_its_order_and_written() -> None:
    written: list[tuple[int, int]] = []
    run = stages(write=lambda item, made: written.append((item, made)))
    assert list(run([1, 2, 3])) == [(1, None), (2, None), (3, None)]
    assert written == [(1, 10), (2, 20), (3, 30)]


def test_without_items_there_is_nothing_to_do() -> None:
    assert not list(stages()([]))


def test_an_item_is_worked_on_while_the_next_is_read_and_the_last_is_written() -> None:
    # All three meet, so that each waits for the other two: one after the other, they would wait for ever.
    meeting = threading.Barrier(3, timeout=20)

    def read(item: int) -> int:
        if item == 3:
            meeting.wait()
        return item

    def work(item: int, content: int) -> int:
        if item == 2:
            meeting.wait()
        return content

    def write(item: int, made: int) -> None:
        if item == 1:
            meeting.wait()

    assert list(stages(read=read, work=work, write=write)([1, 2, 3])) == [(1, None), (2, None), (3, None)]


def test_at_most_one_item_is_read_ahead() -> None:
    seen: list[str] = []
    worked: list[int] = []

    def read(item: int) -> int:
        seen.append(f"{item} read, {len(worked)} done")
        return item

    def work(item: int, content: int) -> int:
        worked.append(item)
        return content

    list(stages(read=read, work=work)(range(4)))
    for item, words in enumerate(seen):
        assert int(words.split(", ")[1].split()[0]) >= item - 1


def test_an_item_that_is_alone_is_read_when_everything_before_it_is_written() -> None:
    written: list[int] = []
    found: list[tuple[int, list[int], str]] = []

    def read_alone(item: int) -> int:
        found.append((item, list(written), threading.current_thread().name))
        return item

    run = stages(
        read_alone=read_alone, alone=lambda item: item == 3, write=lambda item, made: written.append(item)
    )
    assert [item for item, _ in run([1, 2, 3, 4])] == [1, 2, 3, 4]
    assert found == [(3, [1, 2], MAIN)]


@pytest.mark.parametrize("stage", ["read", "read_alone", "work", "write"])
def test_an_expected_error_ends_its_item_alone(stage: str) -> None:
    written: list[int] = []

    def failing(item: int, *made: int) -> int:
        if item == 2:
            raise ValueError(stage)
        if stage == "write":
            written.append(item)
        return item

    functions = {"write": lambda item, made: written.append(item)} | {stage: failing}
    run = stages(alone=lambda item: stage == "read_alone" and item == 2, **functions)
    ended = dict(run([1, 2, 3, 4]))
    assert str(ended.pop(2)) == stage
    assert ended == {1: None, 3: None, 4: None}
    assert written == [1, 3, 4]


@pytest.mark.parametrize("stage", ["read", "work", "write"])
def test_any_other_error_is_raised(stage: str) -> None:
    def failing(item: int, *made: int) -> int:
        if item == 2:
            raise KeyError(stage)
        return item

    ended: list[int] = []
    with pytest.raises(KeyError, match=stage):
        ended.extend(item for item, _ in stages(**{stage: failing})([1, 2, 3]))


def test_ctrl_c_in_the_work_lets_what_is_being_written_become_complete() -> None:
    may_write = threading.Event()
    written: list[int] = []

    def work(item: int, content: int) -> int:
        if item == 2:
            may_write.set()
            raise KeyboardInterrupt
        return content

    def write(item: int, made: int) -> None:
        assert may_write.wait(20)
        written.append(item)

    given: list[tuple[int, Exception | None]] = []
    with pytest.raises(KeyboardInterrupt):
        for each in stages(work=work, write=write)([1, 2, 3]):
            given.append(each)
    assert given == [(1, None)] and written == [1]
