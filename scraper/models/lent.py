"""Memory lent to who fetches beside the loop, in the shape of `body.Reservation`.

Some is lent ahead, so that only large pages ask for more.
"""

import asyncio
from collections.abc import Callable

from scraper.budget import Reservation

AHEAD = 64 * 1024
"""Bytes; most pages are shorter. Asking in mid-page costs some 50 us."""
PAGE_COST = 2048


class Lent:
    """What a page may hold where it is fetched; `ask` blocks until so many bytes more are lent."""

    def __init__(self, ask: Callable[[int], None]) -> None:
        """AHEAD is lent already."""
        self._ask = ask
        self._lent = AHEAD
        self.held = 0

    def try_grow(self, n: int) -> bool:
        """Hold `n` bytes more if they are lent."""
        if self.held + n > self._lent:
            return False
        self.held += n
        return True

    async def grow(self, n: int) -> None:
        """Hold `n` bytes more; blocks, and never suspends."""
        more = max(self.held + n - self._lent, AHEAD)
        self._ask(more)
        self._lent += more
        self.held += n


class LentToThread(Lent):
    """Of a reservation that belongs to a loop, for another thread."""

    def __init__(self, reservation: Reservation, loop: asyncio.AbstractEventLoop) -> None:
        """To be made on the loop; `lend` first."""
        super().__init__(self._ask_loop)
        self._reservation = reservation
        self._loop = loop

    async def lend(self) -> None:
        """Wait on the loop until there is room for what is lent ahead."""
        await self._reservation.grow(AHEAD)

    def settle(self) -> None:
        """On the loop: give back what was lent and not used."""
        self._reservation.shrink_to(PAGE_COST + self.held)

    def _ask_loop(self, n: int) -> None:
        asyncio.run_coroutine_threadsafe(self._reservation.grow(n), self._loop).result()
