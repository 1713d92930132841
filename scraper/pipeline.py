"""The pipeline: the one place where the stages meet.

    sources ─► admit ─► gate ─► fetch loops ─► pool ─► writer
                 │        ▲          │           │        │
                 │        └ retry, redirect      │        └─► durable: bytes of the budget are free again
                 └────────── failures ───────────┴──────────►

Nothing here decides anything about a page: stages answer with records, and this file carries them to the next stage and
keeps the ledger. All of it runs on the loop's thread; the writer's and the workers' messages arrive there too.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime

import msgspec

from scraper import weburl
from scraper.budget import ByteBudget, Reservation
from scraper.coding import CodingError, fault_for, start_of
from scraper.errors import BalanceError, ScraperError, first_of
from scraper.fetch import hops
from scraper.ledger import OK, Ledger
from scraper.parse.pool import ParsePool
from scraper.parts import Limits, Parts
from scraper.records import Failure, Fault, Job, Page, Parsed, Redirect, SourceLine, Target
from scraper.stats import Capacity, Sample
from scraper.urls import canonical
from scraper.urls.frontier import Frontier
from scraper.urls.gate import Gate
from scraper.urls.pace import Sign, sign_of
from scraper.urls.permits import Permits, answer_to, first_hop
from scraper.urls.robots import MAX_BYTES, Robots
from scraper.urls.seen import SeenSet
from scraper.write.encode import failure_line
from scraper.write.writer import Entry

ADMIT_SLICE = 256
"""Records taken up before the loop gets a turn: a millisecond or two."""
PAGE_COST = 2048
"""Bytes that a page holds besides its body: without them a million empty pages would cost nothing."""
HURRY_SHARE = 4
"""Rows not yet durable are committed early when they hold more than this part of the budget that others wait for."""
ROBOTS_REDIRECTS = 5
"""RFC 9309 section 2.3.1.2."""
UNWRITTEN_MOST = 20_000
"""Outcomes handed to the writer and not yet durable, at which reading pauses: bounds a list that only fails."""


class _InParse(msgspec.Struct, frozen=True, gc=False):
    job: Job
    status: int
    reservation: Reservation


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
        self._seen = SeenSet()
        self._numbers = 0
        self._unplaced: dict[str, list[Job]] = {}
        self._unplaced_jobs = 0
        self._lookups: set[asyncio.Task[None]] = set()
        self._tasks: asyncio.TaskGroup | None = None
        self._in_parse: dict[int, _InParse] = {}
        self._unwritten: dict[int, Reservation] = {}
        self._unwritten_bytes = 0
        self._carried = 0
        self._may_read = asyncio.Event()
        self._may_read.set()
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
                self._tasks = tasks
                running = [tasks.create_task(self._fetch_loop()) for _ in range(self._limits.concurrency)]
                self._reader = tasks.create_task(self._read())
                running.append(self._reader)
                with suppress(ScraperError):  # it is raised again below, outside the groups
                    await self._ended
                self._gate.close()  # a wire may swallow the cancellation of one request; no loop begins another
                for task in (*running, *self._lookups):
                    task.cancel()
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
            failures={kind: n for kind, n in settled.items() if kind != OK},
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
        self._on_exhausted()

    async def _admit_when_there_is_room(self, lines: list[SourceLine]) -> bool:
        """False when the limit is reached."""
        for piece in _slices(lines, ADMIT_SLICE):
            await self._gate.room()
            await self._may_read.wait()
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
            self.ledger.earlier[outcome] += 1
        else:
            self.ledger.accept()
            if isinstance(found, Target):
                self._carry_columns(found, 1)
                self._queue(first_hop(found))
            else:
                url = canonical.shown(line)
                self._settle_failure(key, _failure(url, line.line, found, attempts=0))

    def _queue(self, job: Job) -> None:
        """Let a job run when its host's turn comes, if robots.txt allows it; every hop of a page passes here."""
        permits = self._parts.permits
        verdict = None if permits is None else permits.judge(job, self._loop.time())
        if permits is None or verdict is None:
            self._put(job)
        elif isinstance(verdict, Fault):
            self._refuse(job, verdict, permits.tries_for(job))
        else:
            self._update_reading()
            if verdict.ask is not None:
                self._put(verdict.ask)

    def _put(self, job: Job) -> None:
        """Queue a job in its host's lane; where that goes by address, once the address is known."""
        lanes = self._parts.lanes
        if lanes is not None and not lanes.knows(job.host):
            self._await_address(job)
        elif refusal := self._gate.put(job):
            self._refuse(job, refusal)

    def _refuse(self, job: Job, fault: Fault, tries: int = 0) -> None:
        """End a job that is not to be run: forbidden, its host set aside, or tried in vain so many `tries`."""
        if job.target.robots_url is None:
            self._fail_url(job, fault, attempts=max(tries, job.attempt if job.hop else job.attempt - 1))
        else:
            self._on_robots(job, answer_to(fault))

    def _await_address(self, job: Job) -> None:
        waiting = self._unplaced.setdefault(job.host, [])
        waiting.append(job)
        self._unplaced_jobs += 1
        if len(waiting) == 1 and self._tasks is not None:
            self._lookups.add(self._tasks.create_task(self._place(job.host)))
        self._update_reading()

    async def _place(self, host: str) -> None:
        """Find the lane of a host, for the jobs that wait for it."""
        if self._parts.lanes is not None:
            self._parts.lanes.learn(host, await self._parts.fetcher.addresses_of(host))
        waiting = self._unplaced.pop(host)
        self._unplaced_jobs -= len(waiting)
        for job in waiting:
            self._put(job)
        self._lookups.difference_update([task for task in self._lookups if task.done()])
        self._update_reading()
        self._end_if_done()

    def _carry_columns(self, target: Target, sign: int) -> None:
        """Count bytes of input columns that begin (1) or end (-1) to wait for their row."""
        if target.extra:
            self._carried += sign * carried_bytes(target)
            self._update_reading()

    def _update_reading(self) -> None:
        """Reading pauses while too much of what was read waits for its end, and goes on below."""
        permits = self._parts.permits
        unqueued = self._unplaced_jobs + (permits.waiting if permits is not None else 0)
        if unqueued > self._limits.window:
            self._may_read.clear()
        elif self._carried > self._limits.memory or self._unwritten_outcomes > UNWRITTEN_MOST:
            self._may_read.clear()
            self._output.commit_soon()
        else:
            self._may_read.set()

    @property
    def _unwritten_outcomes(self) -> int:
        return self.ledger.settled.total() - self.ledger.durable

    def _on_exhausted(self) -> None:
        self.ledger.is_exhausted = True
        self._end_if_done()

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
                    await self._carry_robots(job, answer)
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
                self._queue(answer)
            case Fault():
                reservation.release()
                self._retry_or_fail(job, answer, self._gate.frontier.streak(job))

    def _retry_or_fail(self, job: Job, fault: Fault, streak: int = 0) -> None:
        """`streak`: round trips in a row that met trouble at this host."""
        decision = self._parts.retries.decide(job, fault, streak)
        if decision.hold_host_s:
            self._gate.hold(job.host, decision.hold_host_s)
        is_final = decision.wait_s is None
        aside = self._gate.fail(job, fault, is_final)
        if decision.wait_s is not None and aside is None:
            self._gate.retry(first_hop(job.target, job.attempt + 1), decision.wait_s)
        else:
            self._end(job, decision.fault)
        if aside is not None:
            for other in self._gate.drain(job.host):
                self._refuse(other, aside)

    def _end(self, job: Job, fault: Fault) -> None:
        if job.target.robots_url is None:
            self._fail_url(job, fault, job.attempt)
        else:
            self._on_robots(job, answer_to(fault))

    def _fail_url(self, job: Job, fault: Fault, attempts: int) -> None:
        self._carry_columns(job.target, -1)
        self._settle_failure(job.target.key, _failure(job.target.url, job.target.line, fault, attempts))

    # -- robots.txt -----------------------------------------------------------------------------------------------

    async def _carry_robots(self, job: Job, answer: Page | Redirect | Fault) -> None:
        """Follow the redirects of a robots.txt and try it again like a page; then the jobs that wait for it go on."""
        if isinstance(answer, Redirect):
            hop = hops.next_hop(job, answer, ROBOTS_REDIRECTS)
            if isinstance(hop, Job):
                self._put(hop)
                return
            answer = hop
        if isinstance(answer, Fault):
            self._retry_or_fail(job, answer, self._gate.frontier.streak(job))
        elif self._parts.permits is not None:
            self._on_robots(job, await asyncio.to_thread(_rules_of, answer, self._parts.permits))

    def _on_robots(self, job: Job, answer: Robots | Fault) -> None:
        if self._parts.permits is None:
            return
        if isinstance(answer, Robots) and (delay_s := self._parts.permits.crawl_delay_s(answer)):
            self._gate.set_delay(weburl.host(job.target.robots_url or job.url), delay_s)
        for waiting in self._parts.permits.settle(job, answer, self._loop.time()):
            self._queue(waiting)
        self._update_reading()

    # -- parse ----------------------------------------------------------------------------------------------------

    def _parse(self, job: Job, page: Page, reservation: Reservation) -> None:
        reservation.hand_on()
        self._numbers += 1
        self._pages_bytes += len(page.body)
        self._in_parse[self._numbers] = _InParse(job, page.status, reservation)
        self._pool.submit(self._numbers, page)

    def _on_parsed(self, results: list[tuple[int, Parsed]]) -> None:
        entries = [entry for number, parsed in results if (entry := self._entry(self._in_parse.pop(number), parsed))]
        if entries:
            self._output.put(entries)
        if self.budget.is_spent:
            self._hurry()
        self._end_if_done()

    def _entry(self, page: _InParse, parsed: Parsed) -> Entry | None:
        """The row to write. A page that failed goes the way of one that was not fetched: its body may have been cut."""
        if parsed.row is None:
            page.reservation.release()
            self._retry_or_fail(page.job, Fault(parsed.kind or "parse_crash", parsed.message, page.status))
            return None
        key = page.job.target.key
        self._carry_columns(page.job.target, -1)
        self.ledger.settle(OK)
        page.reservation.shrink_to(len(parsed.row))
        self._unwritten[key] = page.reservation
        self._unwritten_bytes += page.reservation.held
        return Entry(key, OK, parsed.row)

    # -- the output -----------------------------------------------------------------------------------------------

    def _settle_failure(self, key: int, failure: Failure) -> None:
        self.ledger.settle(failure.error)
        self._output.put([Entry(key, failure.error, failure_line(failure))])
        if self._unwritten_outcomes > UNWRITTEN_MOST:
            self._update_reading()

    def _hurry(self) -> None:
        """Ask for a commit where it would free much, or where nothing else can free anything; it costs two fsyncs."""
        if not self._in_parse or self._unwritten_bytes * HURRY_SHARE > self._limits.memory:
            self._output.commit_soon()

    def _durable_soon(self, entries: list[Entry]) -> None:
        """Called on the writer's thread; after the loop has ended there is nobody left to wake."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_durable, entries)

    def _on_durable(self, entries: list[Entry]) -> None:
        self.ledger.durable += len(entries)
        self._update_reading()
        for entry in entries:
            if reservation := self._unwritten.pop(entry.key, None):
                self._unwritten_bytes -= reservation.held
                reservation.release()

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


def carried_bytes(target: Target) -> int:
    """About how many bytes of other columns a target carries.

    >>> carried_bytes(Target(1, "u", "u", "h", extra={"id": "a" * 100}))
    102
    """
    return sum(len(name) + len(str(value)) for name, value in target.extra.items()) if target.extra else 0


def _rules_of(page: Page, permits: Permits) -> Robots | Fault:
    try:
        return permits.read(start_of(page.body, page.coding, MAX_BYTES))
    except CodingError as exc:
        return answer_to(fault_for(exc, page.status))


def _failure(url: str, line: int | None, fault: Fault, attempts: int) -> Failure:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Failure(url, fault.kind, fault.message, fault.status, attempts, at, line)


def _slices(lines: list[SourceLine], size: int) -> Iterator[list[SourceLine]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
