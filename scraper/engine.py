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
from dataclasses import replace
from types import TracebackType
from typing import Self

import msgspec

from scraper import machine
from scraper.admission import Admission
from scraper.auto import Look
from scraper.backlog import Unqueued
from scraper.budget import ByteBudget, Reservation
from scraper.fetch import hops
from scraper.parts import EngineParts, Gauges, InHand, Outlet
from scraper.records import Fault, Job, Page, Parsed, Read, Redirect, Target
from scraper.stats import Waits
from scraper.urls.frontier import Frontier
from scraper.urls.gate import Gate
from scraper.urls.pace import Sign, sign_of
from scraper.urls.permits import first_hop

PAGE_COST = 2048
"""Bytes that a page holds besides its body: without them a million empty pages would cost nothing."""

LOOK_EVERY_S = 0.05
"""Between two looks at how it goes, where fetch.concurrency = "auto"; 0.1 ms each."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """When a request was sent and when all of its answer had come, by `time.monotonic`."""

    sent_at: float
    came_at: float


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
        self._requests = 0
        self._request_s = 0.0
        self._leaving = 0  # fetch loops that are too many: as many end before their next job
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Start the fetcher, the parser and the fetch loops. What fails in them leaves the block in a group."""
        await self._open.enter_async_context(self._parts.fetcher)
        await self._open.enter_async_context(self._parser)
        tasks = await self._open.enter_async_context(asyncio.TaskGroup())
        self._admission.open(tasks)
        self._have_loops(self._parts.concurrency, tasks)
        if self._parts.climb is not None:
            self._look(tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the fetch loops, then end the parser and the fetcher."""
        self._look_no_more()
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
        self._look_no_more()
        self._gate.close()

    def close(self) -> None:
        """End the fetch loops."""
        self._look_no_more()
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
            self._requests,
            self._request_s,
            self.budget.behind,
            0 if self._parts.climb is None else self._parts.climb.now,
        )

    def waits(self) -> Waits:
        """What its jobs wait for."""
        found, permits = replace(self._gate.waits(), loop_s=machine.thread_wait_s()), self._parts.permits
        if permits is not None and permits.waiting > found.jobs:
            origin, jobs = permits.most_waited()
            found = replace(found, host=origin, why="robots", jobs=jobs)
        if self._unqueued.unplaced > found.jobs:
            found = replace(found, host="", why="lookup", jobs=self._unqueued.unplaced)
        return found

    def notes(self) -> list[str]:
        """What its settings that say "auto" came to, and why; nothing where it had nothing to do."""
        return self._parts.notes() if self._requests else []

    # -- fetch ----------------------------------------------------------------------------------------------------

    async def _fetch_loop(self) -> None:
        """One of `concurrency` long-lived tasks: take a job, make the request, carry the answer on."""
        climb = self._parts.climb
        while not self._leaving and (job := await self._gate.take()) is not None:
            reservation = self.budget.reserve()
            self._fetching += 1
            sign: Sign | None = None
            try:
                if not reservation.try_grow(PAGE_COST):
                    await reservation.grow(PAGE_COST)
                sent_at = time.monotonic()
                answer = await self._parts.fetcher.fetch(job, reservation)
                span = Span(sent_at, time.monotonic())
                self._requests += 1
                self._request_s += span.came_at - sent_at
                sign = sign_of(answer) if isinstance(answer, Fault) else "good"
                if climb is not None:
                    climb.ended(sent_at, span.came_at - sent_at, sign == "good")
                if job.target.robots_url is not None and not isinstance(answer, Read):
                    await self._admission.carry_robots(job, answer)
                    reservation.release()
                else:
                    if isinstance(answer, Page) and self._parts.keeper is not None:
                        answer = await self._parts.keeper.keep(answer)
                    self._carry(job, answer, reservation, span)
            except BaseException:
                reservation.release()
                raise
            finally:
                self._fetching -= 1
                self._gate.done(job, sign)
            self._outlet.moved()
        if self._leaving:
            self._leaving -= 1
            self._loops.remove(asyncio.current_task())  # type: ignore[arg-type]  # it is one of them

    def _have_loops(self, count: int, tasks: asyncio.TaskGroup) -> None:
        """Start fetch loops, or have some leave; one that waits for a job does so after that."""
        more = count - len(self._loops) + self._leaving
        staying = min(max(more, -len(self._loops)), self._leaving)
        self._leaving -= staying
        self._loops += [tasks.create_task(self._fetch_loop()) for _ in range(more - staying)]

    def _look(self, tasks: asyncio.TaskGroup) -> None:
        """Look how it goes, a few times a second; a loop that is done did not leave: the engine comes to its end."""
        climb = self._parts.climb
        if climb is None or any(loop.done() for loop in self._loops):
            return
        self._have_loops(climb.look(self._seen()), tasks)
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look, tasks)

    def _look_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _seen(self) -> Look:
        parsing = len(self._in_parse)
        return Look(
            time.monotonic(),
            self._gate.frontier.in_flight,
            time.thread_time() + machine.thread_wait_s(),
            parsing,
            self._numbers - parsing,
            self.budget.is_spent,
        )

    def _carry(
        self, job: Job, answer: Page | Read | Redirect | Fault | Job, reservation: Reservation, span: Span
    ) -> None:
        if isinstance(answer, Redirect):
            answer = hops.next_hop(job, answer, self._parts.max_redirects)
        match answer:
            case Page():
                self._parser.submit(self._take_in_hand(job, answer, len(answer.body), reservation, span), answer)
            case Read():
                span = Span(span.sent_at, span.came_at - answer.parse_s)
                number = self._take_in_hand(job, answer.page, answer.size, reservation, span)
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

    def _take_in_hand(self, job: Job, page: Page, size: int, reservation: Reservation, span: Span) -> int:
        """Note a page that is whole; gives the number it is known by until it is parsed."""
        reservation.hand_on()
        self._numbers += 1
        self._pages_bytes += size
        self._in_parse[self._numbers] = InHand(
            job,
            page.status,
            reservation,
            *mark_of(page),
            size,
            page.head_s,
            span.came_at - span.sent_at,
            span.came_at,
        )
        return self._numbers

    def _on_parsed(self, results: list[tuple[int, Parsed]]) -> None:
        ended, now = [], time.monotonic()
        for number, parsed in results:
            page = self._in_parse.pop(number)
            page.parse_s = now - page.whole_at
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
