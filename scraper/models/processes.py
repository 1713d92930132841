"""Processes, each of which fetches a page and parses it: the loop says which is next, and keeps the books.

Nothing is shared between them: each has connections, addresses and a proxy's turn of its own, and no cookies.
"""

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Self

from scraper.budget import Reservation
from scraper.engine import LocalEngine
from scraper.errors import ParsePoolError
from scraper.fetch.resolver import AddressGuard
from scraper.models.blueprint import Blueprint, engine_parts
from scraper.models.inline import BusyTime
from scraper.models.lent import AHEAD, PAGE_COST
from scraper.models.link import SLACK_S, Link, open_link, watch
from scraper.models.whole import NoParser
from scraper.models.whole_process import Answered, Grow, Lend
from scraper.models.wholework import Answer, given_up
from scraper.parse.process import reap
from scraper.parts import Outlet
from scraper.records import Job, Parsed

CODE = "from scraper.models import whole_process; whole_process.main({fd})"


class LostError(Exception):
    """The process died with the page in hand."""

    def __init__(self, verdict: Parsed) -> None:
        """`verdict`: what the page ends as, if it was its doing."""
        super().__init__(verdict.message)
        self.verdict = verdict


class _Worker:
    """One process, and the page it has in hand."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.answer: asyncio.Future[Answer] | None = None
        self.reservation: Reservation | None = None


class ProcessFetcher:
    """`parts.Fetcher` whose pages come parsed, one at a time out of each process."""

    def __init__(self, blueprint: Blueprint) -> None:
        """Nothing is started before the block is entered."""
        self._blueprint = blueprint
        self._loop = asyncio.get_running_loop()
        self._tasks = asyncio.TaskGroup()
        self._idle: deque[_Worker] = deque()
        self._takers: deque[asyncio.Future[_Worker]] = deque()
        self._workers: list[_Worker] = []
        self._gone: list[Link] = []
        self._watch: asyncio.Task[None] | None = None
        self._failed_starts = 0
        self._is_closing = False
        self._guard = AddressGuard(blueprint.config.network.private_addresses)
        self.stats = BusyTime()

    async def __aenter__(self) -> Self:
        """Start the processes. Raises ParsePoolError where that cannot be done."""
        await self._tasks.__aenter__()
        config = self._blueprint.config
        most_s = config.fetch.timeout + config.parse.timeout + SLACK_S
        self._watch = self._tasks.create_task(watch(self._busy_links, most_s))
        try:
            for _ in range(self._blueprint.workers):
                worker = _Worker()
                self._workers.append(worker)
                await self._start(worker)
        except BaseException as exc:
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes and wait for them: busy ones are killed, after an error all are."""
        self._is_closing = True
        if self._watch is not None:
            self._watch.cancel()
        links = [worker.link for worker in self._workers if worker.link is not None]
        for worker in self._workers:
            if worker.link is not None:
                worker.link.close(at_once=kind is not None or worker not in self._idle)
        try:
            await self._tasks.__aexit__(kind, exc, trace)
        finally:
            await self._guard.__aexit__(None, None, None)
            await asyncio.to_thread(reap, [link.process for link in (*links, *self._gone)])

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found."""
        return await self._guard.addresses_of(host)

    async def fetch(self, job: Job, reservation: Reservation) -> Answer:
        """Have a process fetch a page and parse it. One that dies may have been killed from outside: another tries."""
        await reservation.grow(AHEAD)
        try:
            return await self._try(job, reservation)
        except LostError:
            reservation.shrink_to(PAGE_COST + AHEAD)
        try:
            return await self._try(job, reservation)
        except LostError as lost:
            return given_up(job, lost.verdict)

    async def _try(self, job: Job, reservation: Reservation) -> Answer:
        worker = await self._take()
        assert worker.link is not None
        worker.answer = self._loop.create_future()
        worker.reservation = reservation
        worker.link.silent_s = 0.0
        worker.link.send(job)
        return await worker.answer

    # -- the processes ----------------------------------------------------------------------------------------------

    def _busy_links(self) -> list[Link]:
        return [worker.link for worker in self._workers if worker.link is not None and worker.answer is not None]

    async def _take(self) -> _Worker:
        if self._idle:
            return self._idle.popleft()
        taker: asyncio.Future[_Worker] = self._loop.create_future()
        self._takers.append(taker)
        try:
            return await taker
        except asyncio.CancelledError:
            if taker.done() and not taker.cancelled():
                self._free(taker.result())
            raise

    def _free(self, worker: _Worker) -> None:
        worker.answer = worker.reservation = None
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(worker)
                return
        self._idle.append(worker)

    async def _start(self, worker: _Worker) -> None:
        if self._is_closing:
            return
        worker.link = await open_link(
            CODE, lambda record: self._on_record(worker, record), lambda: self._on_lost(worker)
        )
        worker.link.send(self._blueprint)

    def _on_record(self, worker: _Worker, record: Any) -> None:
        match record:
            case None:  # it has started
                self._failed_starts = 0
                self._free(worker)
            case str():
                self._fail(ParsePoolError(record))
            case Grow():
                self._tasks.create_task(self._lend(worker, record.bytes))
            case Answered():
                self._answered(worker, record)
            case Exception():
                self._fail(record)

    def _answered(self, worker: _Worker, answered: Answered) -> None:
        self.stats.busy_s += answered.parse_s
        answer, reservation = worker.answer, worker.reservation
        if not answered.leaves:
            self._free(worker)
        if answer is not None and not answer.done():
            if reservation is not None:
                reservation.shrink_to(PAGE_COST + answered.held)
            answer.set_result(answered.answer)

    async def _lend(self, worker: _Worker, n: int) -> None:
        link, reservation = worker.link, worker.reservation
        if link is not None and reservation is not None:
            await reservation.grow(n)
            link.send(Lend())

    def _on_lost(self, worker: _Worker) -> None:
        if self._is_closing or worker.link is None:
            return
        link, worker.link = worker.link, None
        self._gone.append(link)
        if worker in self._idle:
            self._idle.remove(worker)
        if not link.is_ready:
            self._failed_starts += 1
            if refusal := link.refuse_to_start(self._failed_starts):
                self._fail(refusal)
                return
        if worker.answer is not None and not worker.answer.done():
            worker.answer.set_exception(LostError(link.verdict(self._blueprint.config.parse.timeout)))
        worker.answer = worker.reservation = None
        link.close(at_once=True)
        self._tasks.create_task(self._start(worker))

    def _fail(self, error: Exception) -> None:
        """End the block with an error; only the first counts."""

        async def fail() -> None:
            raise error

        if not self._is_closing:
            self._is_closing = True
            self._tasks.create_task(fail())


def open_processes(blueprint: Blueprint, outlet: Outlet) -> LocalEngine:
    """The engine of a run, which has as many requests in flight as processes."""
    fetcher = ProcessFetcher(blueprint)
    parts = engine_parts(blueprint, fetcher, lambda _: NoParser(fetcher.stats), concurrency=blueprint.workers)
    return LocalEngine(parts, outlet)
