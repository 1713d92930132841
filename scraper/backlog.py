"""Whether more of the input may be read: the counts of what was read and waits for its end, and their bounds."""

import asyncio
from collections.abc import Callable

from scraper.ledger import Ledger
from scraper.records import Target
from scraper.urls.permits import Permits

UNWRITTEN_MOST = 20_000
"""Outcomes handed to the writer and not yet durable, at which reading pauses: bounds a list that only fails."""


class Unqueued:
    """The jobs that wait before the frontier: for the address of their host, or for its robots.txt."""

    def __init__(self, permits: Permits | None, window: int) -> None:
        """`window`: how many may wait before `room` does."""
        self._permits = permits
        self._window = window
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.unplaced = 0
        """Jobs that wait for the address of their host. Who changes this calls `update`."""

    async def room(self) -> None:
        """Wait until one more may come."""
        await self._has_room.wait()

    def update(self) -> None:
        """To be called when their number has changed."""
        if self.unplaced + (self._permits.waiting if self._permits is not None else 0) > self._window:
            self._has_room.clear()
        else:
            self._has_room.set()


class Backlog:
    """The pause of the reading for what was read and waits for its end; an engine has its own, for what it can hold.

    Belongs to the loop's thread.
    """

    def __init__(self, ledger: Ledger, memory: int, commit_soon: Callable[[], None]) -> None:
        """`memory`: bytes that the columns of open targets may hold. `commit_soon` is called where it ends a pause."""
        self._ledger = ledger
        self._memory = memory
        self._commit_soon = commit_soon
        self._may_read = asyncio.Event()
        self._may_read.set()
        self.carried = 0
        """Bytes of input columns that wait for their row."""

    async def room(self) -> None:
        """Wait until more may be read."""
        await self._may_read.wait()

    def carry(self, target: Target, sign: int) -> None:
        """Count bytes of input columns that begin (1) or end (-1) to wait for their row."""
        if target.extra:
            self.carried += sign * carried_bytes(target)
            self.update()

    def on_failure(self) -> None:
        """A failure was handed to the writer: unlike a page it holds no bytes that would make anybody wait."""
        if self._unwritten > UNWRITTEN_MOST:
            self.update()

    def update(self) -> None:
        """Reading pauses while too much of what was read waits for its end, and goes on below."""
        if self.carried > self._memory or self._unwritten > UNWRITTEN_MOST:
            self._may_read.clear()
            self._commit_soon()
        else:
            self._may_read.set()

    @property
    def _unwritten(self) -> int:
        return self._ledger.settled.total() - self._ledger.durable


def carried_bytes(target: Target) -> int:
    """About how many bytes of other columns a target carries.

    >>> carried_bytes(Target(1, "u", "u", "h", extra={"id": "a" * 100}))
    102
    """
    return sum(len(name) + len(str(value)) for name, value in target.extra.items()) if target.extra else 0
