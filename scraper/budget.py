"""One byte budget for all page bodies in flight, from the socket to the writer: memory is bounded by configuration.

A reader reserves the bytes of each piece as it arrives, before the size of the whole page is known. Readers that all
hold half a page could then wait for each other for ever. So one of them at a time, the first that found the budget
spent, may go over it: it finishes its page, the stages behind it set bytes free, and the others follow in order.
The bound is therefore the limit plus one page of `fetch.max_body`.
"""

import asyncio
from collections import deque


class ByteBudget:
    """Bytes that may be in flight. Use on one event loop only."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes, more than 0."""
        self.limit = limit
        self.used = 0
        self.peak = 0
        self._over: Reservation | None = None
        self._waiting: deque[tuple[Reservation, int, asyncio.Future[None]]] = deque()

    @property
    def is_spent(self) -> bool:
        """True while a reader waits for bytes."""
        return bool(self._waiting)

    def reserve(self) -> "Reservation":
        """A reservation of 0 bytes; its owner must `release` it."""
        return Reservation(self)

    def _may_grow(self, holder: "Reservation", n: int) -> bool:
        if self._over is holder:
            return True
        if self.used + n <= self.limit and not self._waiting:
            return True
        if self._over is None and not self._waiting:
            self._over = holder
            return True
        return False

    def _add(self, n: int) -> None:
        self.used += n
        self.peak = max(self.peak, self.used)

    def _wake(self) -> None:
        while self._waiting:
            holder, n, ready = self._waiting[0]
            if self.used + n > self.limit:
                if self._over is not None:
                    return
                self._over = holder
            self._waiting.popleft()
            if not ready.done():
                holder.held += n
                self._add(n)
                ready.set_result(None)


class Reservation:
    """The bytes one page holds: `grow` while it is read, `shrink_to` its row, `release` when that is durable."""

    __slots__ = ("_budget", "held", "paused_s")

    def __init__(self, budget: ByteBudget) -> None:
        """Made by `ByteBudget.reserve`."""
        self._budget = budget
        self.held = 0
        self.paused_s = 0.0
        """Seconds spent waiting in `grow`: not the server's fault, so no part of its deadline."""

    def try_grow(self, n: int) -> bool:
        """Hold `n` bytes more if the budget has them now; gives whether it has."""
        budget = self._budget
        if not budget._may_grow(self, n):
            return False
        self.held += n
        budget._add(n)
        return True

    async def grow(self, n: int) -> None:
        """Hold `n` bytes more, waiting until the budget has them."""
        if self.try_grow(n):
            return
        budget = self._budget
        loop = asyncio.get_running_loop()
        started = loop.time()
        ready: asyncio.Future[None] = loop.create_future()
        entry = (self, n, ready)
        budget._waiting.append(entry)
        try:
            await ready
        except asyncio.CancelledError:
            if entry in budget._waiting:
                budget._waiting.remove(entry)
            raise
        finally:
            self.paused_s += loop.time() - started

    def shrink_to(self, n: int) -> None:
        """Hold `n` bytes from now on, which may be more than before (a row larger than its page)."""
        budget = self._budget
        budget._add(n - self.held)
        self.held = n
        if budget._over is self:
            budget._over = None
        budget._wake()

    def release(self) -> None:
        """Hold nothing. May be called twice."""
        self.shrink_to(0)
