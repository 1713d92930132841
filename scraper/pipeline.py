"""The pipeline: the one place where the stages meet.

    sources ─► admit ─► gate ─► fetch loops ─► pool ─► writer
                 │        ▲          │           │        │
                 │        └ retry, redirect      │        └─► durable: bytes of the budget are free again
                 └────────── failures ───────────┴──────────►

Nothing here decides anything about a page: stages answer with records, and this file carries them to the next stage and
keeps the ledger. How a job gets to the gate, and back there, is told in admission.py. All of it runs on the loop's
thread; the writer's and the workers' messages arrive there too.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing, suppress

from msgspec.structs import replace

from scraper.admission import Admission
from scraper.backlog import Backlog
from scraper.budget import ByteBudget, Reservation
from scraper.errors import BalanceError, ScraperError, first_of
from scraper.fetch import hops
from scraper.ledger import DUPLICATE, OK, Ledger
from scraper.parse.pool import ParsePool
from scraper.parts import Limits, Parts
from scraper.records import Fault, Job, Page, Parsed, Redirect, SourceLine, Target
from scraper.settlement import InParse, Settlement, failure_of, mark_of
from scraper.stats import Capacity, Sample
from scraper.urls import canonical
from scraper.urls.frontier import Frontier
from scraper.urls.gate import Gate
from scraper.urls.pace import Sign, sign_of
from scraper.urls.permits import first_hop
from scraper.urls.seen import SeenSet
from scraper.write.writer import Entry

ADMIT_SLICE = 256
"""Records taken up before the loop gets a turn: a millisecond or two."""
PAGE_COST = 2048
"""Bytes that a page holds besides its body: without them a million empty pages would cost nothing."""
HURRY_SHARE = 4
"""Rows not yet durable are committed early when they hold more than this part of the budget that others wait for."""


class Pipeline:
    """One session of a run: from the sources to the last commit. Make it and `run` it on one event loop, once."""

    def __init__(self, parts: Parts, limits: Limits) -> None:
        """Nothing is started before `run`."""
        self._parts = parts
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.ledger = Ledger()
        self.budget = ByteBudget(limits.memory, self._hurry)
        self._gate = Gate(Frontier(parts.host_limits), limits.window, parts.lanes.of if parts.lanes else None)
        self._pool = ParsePool(*parts.pool, self._on_parsed)
        self._output = parts.open_output(self._durable_soon, self._fail_soon)
        self._backlog = Backlog(self.ledger, parts.permits, limits.window, limits.memory, self._output.commit_soon)
        self._settlement = Settlement(self.ledger, self._output, self._backlog, parts.distinct)
        self._admission = Admission(parts, self._gate, self._backlog, self._settlement.fail, self._end_if_done)
        self._seen = SeenSet()
        self._numbers = 0
        self._in_parse: dict[int, InParse] = {}
        self._pages_bytes = 0
        self._fetching = 0
        self.is_stopping = False
        self._reader: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> Ledger:
        """Do all the work; gives the ledger once nothing more can be settled in this session.

        Raises the ScraperError that ended the run early: a list, a worker pool or an output that failed. The output is
        not closed: its owner does that, and then calls `check_balance`.
        """
        try:
            async with self._pool, asyncio.TaskGroup() as tasks:
                self._admission.open(tasks)
                running = [tasks.create_task(self._fetch_loop()) for _ in range(self._limits.concurrency)]
                self._reader = tasks.create_task(self._read())
                running.append(self._reader)
                with suppress(ScraperError):  # it is raised again below, outside the groups
                    await self._ended
                self._gate.close()  # a wire may swallow the cancellation of one request; no loop begins another
                for task in running:
                    task.cancel()
                self._admission.close()
        except BaseExceptionGroup as group:
            raise first_of(group) from None
        self._ended.result()
        return self.ledger

    def stop(self) -> None:
        """Take up no further URL and let what is under way finish, for at most the shutdown timeout."""
        if self.is_stopping:
            return
        self.is_stopping = True
        if self._reader is not None:
            self._reader.cancel()
        self._gate.close()
        self._loop.call_later(self._limits.shutdown_timeout_s, self.abort)
        self._end_if_done()

    def abort(self) -> None:
        """End at once. What has no outcome yet keeps none; what was handed over is still committed."""
        self.is_stopping = True
        if not self._ended.done():
            self._ended.set_result(None)

    def check_balance(self) -> None:
        """Raise BalanceError where input and outcomes differ. To be called when the output is closed."""
        if problem := self.ledger.imbalance():
            raise BalanceError(f"internal error, the books do not balance: {problem}; please report this")

    @property
    def capacity(self) -> Capacity:
        """What the settings allow, for the load figures."""
        return Capacity(self._limits.concurrency, self._parts.pool[1].processes)

    def sample(self) -> Sample:
        """The state of the run now."""
        frontier, settled = self._gate.frontier, self.ledger.settled
        return Sample(
            at=self._loop.time(),
            input=self.ledger.input,
            done=settled.total(),
            open=self.ledger.open,
            ok=settled[OK],
            failures={kind: n for kind, n in settled.items() if kind not in (OK, DUPLICATE)},
            pages_bytes=self._pages_bytes,
            in_flight=frontier.in_flight,
            queued=len(frontier),
            backoffs=frontier.backoffs,
            parsing=len(self._in_parse),
            bodies_waiting=self.budget.is_spent,
            is_exhausted=self.ledger.is_exhausted,
            parse_busy_s=self._pool.stats.busy_s,
            write_busy_s=self._output.busy_s,
            loop_busy_s=time.thread_time(),
        )

    # -- the input ------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Admit records while there is room for them."""
        async with aclosing(self._parts.sources) as sources:
            async for lines in sources:
                if not await self._admit_when_there_is_room(lines):
                    break
        self.ledger.is_exhausted = True
        self._end_if_done()

    async def _admit_when_there_is_room(self, lines: list[SourceLine]) -> bool:
        """False when the limit is reached."""
        for piece in _slices(lines, ADMIT_SLICE):
            await self._gate.room()
            await self._backlog.room()
            if not self._admit_all(piece):
                return False
            await asyncio.sleep(0)
        return True

    def _admit_all(self, lines: list[SourceLine]) -> bool:
        """False as soon as the limit is reached; the records behind it are left unread."""
        for line in lines:
            self._admit(line)
            if self._limits.limit is not None and self._accepted >= self._limits.limit:
                return False
        return True

    @property
    def _accepted(self) -> int:
        return self.ledger.open + self.ledger.settled.total()

    def _admit(self, line: SourceLine) -> None:
        self.ledger.input += 1
        key, found = canonical.identify(line)
        if not self._seen.add(key):
            self.ledger.duplicates += 1
        elif self._parts.earlier is not None and (outcome := self._parts.earlier.outcome(key)):
            self._admit_again(found, outcome)
        elif isinstance(found, Target):
            self._enter(found)
        else:
            self.ledger.accept()
            self._settlement.fail_line(key, failure_of(canonical.shown(line), line.line, found, attempts=0))

    def _admit_again(self, found: Target | Fault, outcome: str) -> None:
        """A record that has its outcome from an earlier session: that stands, unless this one is to see anew."""
        revisit = self._parts.revisit
        if revisit is None or not isinstance(found, Target) or not revisit.takes(outcome):
            self.ledger.earlier[outcome] += 1
        else:
            self._enter(replace(found, again=True, known=revisit.mark_of(found.key) if outcome == OK else None))

    def _enter(self, target: Target) -> None:
        self.ledger.accept()
        self._backlog.carry(target, 1)
        self._admission.enter(first_hop(target))

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
                if job.target.robots_url is not None:
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
            self._end_if_done()

    def _carry(self, job: Job, answer: Page | Redirect | Fault | Job, reservation: Reservation) -> None:
        if isinstance(answer, Redirect):
            answer = hops.next_hop(job, answer, self._limits.max_redirects)
        match answer:
            case Page():
                self._parse(job, answer, reservation)
            case Job():
                reservation.release()
                self._admission.enter(answer)
            case Fault(status=304) if job.target.known is not None:
                reservation.release()
                self._settlement.unchanged(job.target)
            case Fault():
                reservation.release()
                self._admission.retry_or_end(job, answer, self._gate.frontier.streak(job))

    # -- parse ----------------------------------------------------------------------------------------------------

    def _parse(self, job: Job, page: Page, reservation: Reservation) -> None:
        reservation.hand_on()
        self._numbers += 1
        self._pages_bytes += len(page.body)
        self._in_parse[self._numbers] = InParse(job, page.status, reservation, *mark_of(page))
        self._pool.submit(self._numbers, page)

    def _on_parsed(self, results: list[tuple[int, Parsed]]) -> None:
        entries = [entry for number, parsed in results if (entry := self._entry(self._in_parse.pop(number), parsed))]
        if entries:
            self._output.put(entries)
        if self.budget.is_spent:
            self._hurry()
        self._end_if_done()

    def _entry(self, page: InParse, parsed: Parsed) -> Entry | None:
        """The row to write. A page that failed goes the way of one that was not fetched: its body may have been cut."""
        if parsed.row is None:
            page.reservation.release()
            self._admission.retry_or_end(page.job, Fault(parsed.kind or "parse_crash", parsed.message, page.status))
            return None
        return self._settlement.page(page, parsed)

    # -- the output -----------------------------------------------------------------------------------------------

    def _hurry(self) -> None:
        """Ask for a commit where it would free much, or where nothing else can free anything; it costs two fsyncs."""
        if not self._in_parse or self._settlement.unwritten_bytes * HURRY_SHARE > self._limits.memory:
            self._output.commit_soon()

    def _durable_soon(self, entries: list[Entry]) -> None:
        """Called on the writer's thread; after the loop has ended there is nobody left to wake."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settlement.durable, entries)

    def _fail_soon(self, error: ScraperError) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._fail, error)

    def _fail(self, error: ScraperError) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)

    # -- the end --------------------------------------------------------------------------------------------------

    def _end_if_done(self) -> None:
        """The one place that knows when a session is over."""
        is_drained = self.is_stopping and not self._fetching and not self._in_parse
        if (self.ledger.is_settled or is_drained) and not self._ended.done():
            self._gate.close()
            self._ended.set_result(None)


def _slices(lines: list[SourceLine], size: int) -> Iterator[list[SourceLine]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
