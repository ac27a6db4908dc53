"""What comes next is computed, and what came before stored, beside the work of the caller: in a thread each."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Value = TypeVar("Value")


def ahead(values: Iterable[Value]) -> Iterator[Value]:
    """The same values; while the caller has one, the next one is computed. Errors come at the place of their value."""
    end = object()
    source = iter(values)
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming: Future[Any] = thread.submit(next, source, end)
        while (value := coming.result()) is not end:
            coming = thread.submit(next, source, end)
            yield value


@contextmanager
def behind(function: Callable[..., object]) -> Iterator[Callable[..., None]]:
    """Gives a function that calls `function` in a thread and returns when the call before has ended.

    Its errors are raised by the next call, or at the end of the block, which waits for the last call. Where the block
    ends with an error, that error is raised.
    """
    with ThreadPoolExecutor(1, "behind") as thread:
        last: Future[object] = Future()
        last.set_result(None)

        def later(*arguments: Any) -> None:
            nonlocal last
            last.result()
            last = thread.submit(function, *arguments)

        yield later
        last.result()
