"""Values that are computed ahead and calls that are done behind."""

import threading
from collections.abc import Iterator

import pytest

from sr.ops.beside import ahead, behind


def test_ahead_gives_the_same_values() -> None:
    assert list(ahead(range(5))) == [0, 1, 2, 3, 4]
    assert not list(ahead([]))


def test_the_next_value_is_computed_while_the_caller_has_one() -> None:
    computed = threading.Event()

    def values() -> Iterator[int]:
        yield 1
        computed.set()
        yield 2

    given = ahead(values())
    assert next(given) == 1
    assert computed.wait(20)
    assert list(given) == [2]


def test_no_more_than_one_value_is_computed_ahead() -> None:
    computed: list[int] = []

    def values() -> Iterator[int]:
        for number in range(5):
            computed.append(number)
            yield number

    for number in ahead(values()):
        assert len(computed) <= number + 2


def test_an_error_comes_after_the_values_before_it() -> None:
    def values() -> Iterator[int]:
        yield 1
        raise ValueError("the second")

    given = ahead(values())
    assert next(given) == 1
    with pytest.raises(ValueError, match="the second"):
        next(given)


def test_calls_behind_keep_their_order_and_are_done_at_the_end() -> None:
    done: list[int] = []
    with behind(done.append) as later:
        for number in range(5):
            later(number)
            assert len(done) >= number  # all but the last
    assert done == [0, 1, 2, 3, 4]


def test_a_call_behind_runs_beside_the_caller() -> None:
    meeting = threading.Barrier(2, timeout=20)
    with behind(meeting.wait) as later:
        later()
        meeting.wait()  # for ever, if the call had to end first


def test_an_error_behind_is_raised_by_the_next_call_and_at_the_end() -> None:
    def fail(number: int) -> None:
        raise ValueError(f"call {number}")

    with pytest.raises(ValueError, match="call 1"), behind(fail) as later:
        later(1)
        later(2)
    with pytest.raises(ValueError, match="call 3"), behind(fail) as later:
        later(3)


def test_an_error_of_the_caller_is_the_one_that_is_raised() -> None:
    done: list[int] = []
    with pytest.raises(KeyError, match="of the caller"), behind(done.append) as later:
        later(1)
        raise KeyError("of the caller")
    assert done == [1]
