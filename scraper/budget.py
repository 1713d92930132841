"""One byte budget for all page bodies in flight, from the socket to the writer: memory is bounded by configuration.

A reader reserves the bytes of each piece as it arrives, before the size of the whole page is known. Readers that all
hold half a page could then wait for each other for ever. So where every byte is held by a reader, one of them, the
first that found the budget spent, may go over it and finish its page. As long as a later stage holds bytes nobody
goes over: those will be set free. The bound is therefore the limit plus one page of `fetch.max_body`.
"""

import asyncio
from collections import deque
from collections.abc import Callable


class ByteBudget:
    """Bytes that may be in flight. Use on one event loop only."""

    def __init__(self, limit: int, on_spent: Callable[[], None] = lambda: None) -> None:
        """`limit`: bytes, more than 0. `on_spent` is called for each reader that has to wait."""
        self.limit = limit
        self.used = 0
        self.peak = 0
        self._on_spent = on_spent
        self._behind = 0  # bytes of pages that were read whole and are with a later stage
        self._over: Reservation | None = None
        self._waiting: deque[tuple[Reservation, int, asyncio.Future[None]]] = deque()

    @property
    def is_spent(self) -> bool:
        """True while a reader waits for bytes."""
        return bool(self._waiting)

    @property
    def behind(self) -> int:
        """Bytes held by pages that were read whole and are with a later stage."""
        return self._behind

    def reserve(self) -> "Reservation":
        """A reservation of 0 bytes; its owner must `release` it."""
        return Reservation(self)

    def _may_grow(self, holder: "Reservation", n: int) -> bool:
        if self._over is holder:
            return True
        return not self._waiting and self._has_room(holder, n)

    def _has_room(self, holder: "Reservation", n: int) -> bool:
        if self.used + n <= self.limit:
            return True
        if self._over is not None or self._behind:
            return False
        self._over = holder
        return True

    def _add(self, n: int) -> None:
        self.used += n
        if self.used > self.peak:
            self.peak = self.used

    def _wake(self) -> None:
        while self._waiting:
            holder, n, ready = self._waiting[0]
            if not ready.done():
                if not self._has_room(holder, n):
                    return
                holder.held += n
                self._add(n)
                ready.set_result(None)
            self._waiting.popleft()


class Reservation:
    """The bytes one page holds: `grow` while it is read, `hand_on` when it is whole, then its row's, then none."""

    __slots__ = ("_budget", "_is_behind", "held")

    def __init__(self, budget: ByteBudget) -> None:
        """Made by `ByteBudget.reserve`."""
        self._budget = budget
        self._is_behind = False
        self.held = 0

    def try_grow(self, n: int) -> bool:
        """Hold `n` bytes more if the budget has them now; gives whether it has."""
        budget = self._budget
        is_easy = not budget._waiting and budget.used + n <= budget.limit
        if not is_easy and not budget._may_grow(self, n):
            return False
        self.held += n
        budget._add(n)
        return True

    async def grow(self, n: int) -> None:
        """Hold `n` bytes more, waiting until the budget has them."""
        if self.try_grow(n):
            return
        budget = self._budget
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        budget._waiting.append((self, n, ready))
        budget._on_spent()
        await ready

    def hand_on(self) -> None:
        """The page is whole and goes to a later stage, which will set its bytes free."""
        self._is_behind = True
        self._budget._behind += self.held
        self._may_end_going_over()

    def shrink_to(self, n: int) -> None:
        """Hold `n` bytes from now on, which may be more than before (a row larger than its page)."""
        budget = self._budget
        budget._add(n - self.held)
        if self._is_behind:
            budget._behind += n - self.held
        self.held = n
        self._may_end_going_over()

    def release(self) -> None:
        """Hold nothing. May be called twice."""
        self.shrink_to(0)

    def _may_end_going_over(self) -> None:
        if self._budget._over is self:
            self._budget._over = None
        if self._budget._waiting:
            self._budget._wake()
