"""Work on items one after the other, while the next one is read and the last one is written."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Content = TypeVar("Content")
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Stages(Generic[Item, Content, Made]):
    """Reads, works and writes.

    `work` runs in the thread of the caller; reading and writing have a thread each. At most one item is read ahead, and
    at most one is being written.

    Attributes:
        read: a function that makes the content of an item, in its thread.
        read_alone: the same in the thread of the caller, for items that are `alone`.
        work: a function that makes the result of it.
        write: a function that stores the result.
        alone: a function that says whether there is no room for an item beside others; it is then read after everything
            before it was written. It must not raise.
        expected: the exceptions that end an item and not all of them.
    """

    read: Callable[[Item], Content]
    read_alone: Callable[[Item], Content]
    work: Callable[[Item, Content], Made]
    write: Callable[[Item, Made], object]
    alone: Callable[[Item], bool]
    expected: tuple[type[Exception], ...]
    _reader: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "read"), init=False)
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "write"), init=False)

    def __call__(self, items: Sequence[Item]) -> Iterator[tuple[Item, Exception | None]]:
        """Every item in its order, as soon as it is written, with the error that ended it or None.

        After Ctrl-C, what is being written becomes complete and is given too.
        """
        writing: list[tuple[Item, Future[Any]]] = []  # or waiting for it
        with self._reader, self._writer:
            try:
                ahead = self._read_ahead(items[:1])
                for number, item in enumerate(items, start=1):
                    if ahead is None:
                        yield from self._ended(writing, keep=0)
                    content = ahead or self._done(self.read_alone, item)
                    ahead = self._read_ahead(items[number : number + 1])
                    writing.append((item, self._worked(item, content)))
                    yield from self._ended(writing, keep=1)
                yield from self._ended(writing, keep=0)
            except KeyboardInterrupt:
                yield from self._ended(writing, keep=0)
                raise

    def _read_ahead(self, following: Sequence[Item]) -> "Future[Content] | None":
        return next(
            (self._reader.submit(self.read, item) for item in following if not self.alone(item)), None
        )

    def _worked(self, item: Item, content: "Future[Content]") -> "Future[Any]":
        made = self._done(lambda: self.work(item, content.result()))
        return made if made.exception() else self._writer.submit(self.write, item, made.result())

    def _done(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(function(*arguments))
        except self.expected as error:
            done.set_exception(error)
        return done

    def _ended(
        self, writing: list[tuple[Item, "Future[Any]"]], *, keep: int
    ) -> Iterator[tuple[Item, Exception | None]]:
        """Waits until no more than `keep` items are left, and gives all that are done."""
        while len(writing) > keep or (writing and writing[0][1].done()):
            item, stored = writing[0]
            error = stored.exception()
            del writing[0]
            if error is not None and not isinstance(error, self.expected):
                raise error
            yield item, error
