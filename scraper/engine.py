"""The engine: the one place where the frontier, the fetch loops and the parser meet.

    enter ─► admission ─► gate ─► fetch loops ─► parser ─► outlet
                 ▲                    │            │
                 └─ retry, redirect ──┴────────────┘

Nothing here decides anything about a page: stages answer with records, and this file carries them to the next stage.
How a job gets to the gate, and back there, is told in admission.py. All of it runs on the loop's thread. It knows
neither the input nor the output: the pipeline does, which may be in another process.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from scraper.admission import Admission
from scraper.backlog import Unqueued
from scraper.budget import ByteBudget, Reservation
from scraper.fetch import hops
from scraper.parts import EngineParts, Gauges, InHand, Outlet
from scraper.records import Fault, Job, Page, Parsed, Read, Redirect, Target
from scraper.urls.frontier import Frontier
from scraper.urls.gate import Gate
from scraper.urls.pace import Sign, sign_of
from scraper.urls.permits import first_hop

PAGE_COST = 2048
"""Bytes that a page holds besides its body: without them a million empty pages would cost nothing."""


class LocalEngine:
    """`parts.Engine` on the caller's loop."""

    def __init__(self, parts: EngineParts, outlet: Outlet) -> None:
        """Nothing is started before the block is entered."""
        self._parts = parts
        self._outlet = outlet
        self.budget = ByteBudget(parts.memory, outlet.short_of_memory)
        self._gate = Gate(Frontier(parts.host_limits), parts.window, parts.lanes.of if parts.lanes else None)
        self._unqueued = Unqueued(parts.permits, parts.window)
        self._admission = Admission(parts, self._gate, self._unqueued, outlet.failed, outlet.moved)
        self._parser = parts.open_parser(self._on_parsed)
        self._open = AsyncExitStack()
        self._loops: list[asyncio.Task[None]] = []
        self._in_parse: dict[int, InHand] = {}
        self._numbers = 0
        self._pages_bytes = 0
        self._fetching = 0

    async def __aenter__(self) -> Self:
        """Start the fetcher, the parser and the fetch loops. What fails in them leaves the block in a group."""
        await self._open.enter_async_context(self._parts.fetcher)
        await self._open.enter_async_context(self._parser)
        tasks = await self._open.enter_async_context(asyncio.TaskGroup())
        self._admission.open(tasks)
        self._loops = [tasks.create_task(self._fetch_loop()) for _ in range(self._parts.concurrency)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the fetch loops, then end the parser and the fetcher."""
        await self._open.__aexit__(kind, exc, trace)

    async def room(self) -> None:
        """Wait until the window has room for another target."""
        await self._gate.room()
        await self._unqueued.room()

    def enter(self, target: Target) -> None:
        """Take up a URL; returns at once."""
        self._admission.enter(first_hop(target))

    def enter_job(self, job: Job, wait_s: float) -> None:
        """Take up a job that another engine began; after a wait it goes on where it was allowed before."""
        if wait_s:
            self._admission.enter_after(wait_s, job)
        else:
            self._admission.enter(job)

    def stop(self) -> None:
        """Begin no further request: what is queued stays where it is."""
        self._gate.close()

    def close(self) -> None:
        """End the fetch loops."""
        self._gate.close()  # a wire may swallow the cancellation of one request; no loop begins another
        for loop in self._loops:
            loop.cancel()
        self._admission.close()

    @property
    def is_idle(self) -> bool:
        """Nothing is being fetched or parsed."""
        return not self._fetching and not self._in_parse

    @property
    def is_parsing(self) -> bool:
        """Pages are being parsed."""
        return bool(self._in_parse)

    def gauges(self) -> Gauges:
        """Its state now."""
        frontier = self._gate.frontier
        return Gauges(
            frontier.in_flight,
            len(frontier),
            frontier.backoffs,
            len(self._in_parse),
            self.budget.is_spent,
            self._pages_bytes,
            self._parser.stats.busy_s,
            time.thread_time(),
        )

    # -- fetch ----------------------------------------------------------------------------------------------------

    async def _fetch_loop(self) -> None:
        """One of `concurrency` long-lived tasks: take a job, make the request, carry the answer on."""
        while (job := await self._gate.take()) is not None:
            reservation = self.budget.reserve()
            self._fetching += 1
            sign: Sign | None = None
            try:
                if not reservation.try_grow(PAGE_COST):
                    await reservation.grow(PAGE_COST)
                answer = await self._parts.fetcher.fetch(job, reservation)
                sign = sign_of(answer) if isinstance(answer, Fault) else "good"
                if job.target.robots_url is not None and not isinstance(answer, Read):
                    await self._admission.carry_robots(job, answer)
                    reservation.release()
                else:
                    if isinstance(answer, Page) and self._parts.keeper is not None:
                        answer = await self._parts.keeper.keep(answer)
                    self._carry(job, answer, reservation)
            except BaseException:
                reservation.release()
                raise
            finally:
                self._fetching -= 1
                self._gate.done(job, sign)
            self._outlet.moved()

    def _carry(self, job: Job, answer: Page | Read | Redirect | Fault | Job, reservation: Reservation) -> None:
        if isinstance(answer, Redirect):
            answer = hops.next_hop(job, answer, self._parts.max_redirects)
        match answer:
            case Page():
                self._parser.submit(self._take_in_hand(job, answer, len(answer.body), reservation), answer)
            case Read():
                number = self._take_in_hand(job, answer.page, answer.size, reservation)
                self._on_parsed([(number, answer.parsed)])
            case Job():
                reservation.release()
                self._admission.enter(answer)
            case Fault(status=304) if job.target.known is not None:
                reservation.release()
                self._outlet.unchanged(job.target)
            case Fault():
                reservation.release()
                self._admission.retry_or_end(job, answer, self._gate.frontier.streak(job))

    # -- parse ----------------------------------------------------------------------------------------------------

    def _take_in_hand(self, job: Job, page: Page, size: int, reservation: Reservation) -> int:
        """Note a page that is whole; gives the number it is known by until it is parsed."""
        reservation.hand_on()
        self._numbers += 1
        self._pages_bytes += size
        self._in_parse[self._numbers] = InHand(job, page.status, reservation, *mark_of(page))
        return self._numbers

    def _on_parsed(self, results: list[tuple[int, Parsed]]) -> None:
        ended = []
        for number, parsed in results:
            page = self._in_parse.pop(number)
            if parsed.row is None:
                self._try_again_or_end(page, parsed)
            else:
                ended.append((page, parsed))
        if ended:
            self._outlet.parsed(ended)
        if self.budget.is_spent:
            self._outlet.short_of_memory()
        self._outlet.moved()

    def _try_again_or_end(self, page: InHand, parsed: Parsed) -> None:
        """A page that failed goes the way of one that was not fetched: its body may have been cut."""
        page.hold.release()
        self._admission.retry_or_end(page.job, Fault(parsed.kind or "parse_crash", parsed.message, page.status))


def mark_of(page: Page) -> tuple[str, str]:
    """A page's ETag and Last-Modified, "" for what could not be sent back as it is.

    Such are those over 512 characters, of which a million would fill the journal, and what is not ASCII.
    """
    return _sendable(page.etag), _sendable(page.modified)


def _sendable(value: str) -> str:
    return value if value and len(value) <= 512 and value.isascii() and value.isprintable() else ""
