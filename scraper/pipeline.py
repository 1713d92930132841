"""The pipeline: the two ends of a run, and the books between them. What lies between the ends is an engine.

    sources ─► admit ─► engine ─► settlement ─► output ─► durable: bytes are free again
                 │                    ▲
                 └───── failures ─────┘

Nothing here decides anything about a page: this file carries records to where they belong and keeps the ledger. All of
it runs on the loop's thread; the writer's messages arrive there too.
"""

import asyncio
import dataclasses
from collections.abc import Iterator
from contextlib import aclosing, suppress

from msgspec.structs import replace

from scraper.backlog import Backlog
from scraper.errors import BalanceError, ScraperError, first_of
from scraper.ledger import DUPLICATE, OK, Ledger
from scraper.limits import Judge
from scraper.parts import InHand, Limits, Parts
from scraper.records import Fault, Parsed, SourceLine, Target
from scraper.settlement import Settlement, failure_of
from scraper.stats import Capacity, Sample, Waits
from scraper.telemetry import PageTimes, Recorder
from scraper.urls import canonical
from scraper.urls.seen import SeenSet
from scraper.write.writer import Entry

ADMIT_SLICE = 256
"""Records taken up before the loop gets a turn: a millisecond or two."""
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
        self._output = parts.open_output(self._durable_soon, self._fail_soon)
        self._backlog = Backlog(self.ledger, limits.memory, self._output.commit_soon)
        self._settlement = Settlement(self.ledger, self._output, self._backlog, parts.distinct)
        self._seen = SeenSet()
        self.engine = parts.open_engine(self)
        self.is_stopping = False
        self.recorder = Recorder()
        """What it notes of its pages."""
        self.judge = Judge(parts.capacity)
        """What limits it; to be fed by who watches the run."""
        self.first_row_at: float | None = None
        """By the loop's clock, None = there was none yet."""
        self._reader: asyncio.Task[None] | None = None
        self._ended: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> Ledger:
        """Do all the work; gives the ledger once nothing more can be settled in this session.

        Raises the ScraperError that ended the run early: a list, a worker pool or an output that failed. The output is
        not closed: its owner does that, and then calls `check_balance`.
        """
        try:
            async with self.engine, asyncio.TaskGroup() as tasks:
                self._reader = tasks.create_task(self._read())
                with suppress(ScraperError):  # it is raised again below, outside the groups
                    await self._ended
                self.engine.close()
                self._reader.cancel()
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
        self.engine.stop()
        self._loop.call_later(self._limits.shutdown_timeout_s, self.abort)
        self.moved()

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
        """What the settings allow, for the load figures; a number that changes is that of now."""
        slots = self.engine.gauges().slots
        return dataclasses.replace(self._parts.capacity, concurrency=slots) if slots else self._parts.capacity

    def sample(self) -> Sample:
        """The state of the run now."""
        settled, gauges = self.ledger.settled, self.engine.gauges()
        return Sample(
            at=self._loop.time(),
            input=self.ledger.input,
            done=settled.total(),
            open=self.ledger.open,
            ok=settled[OK],
            failures={kind: n for kind, n in settled.items() if kind not in (OK, DUPLICATE)},
            pages_bytes=gauges.pages_bytes,
            in_flight=gauges.in_flight,
            queued=gauges.queued,
            backoffs=gauges.backoffs,
            parsing=gauges.parsing,
            bodies_waiting=gauges.bodies_waiting,
            is_exhausted=self.ledger.is_exhausted,
            parse_busy_s=gauges.parse_busy_s,
            write_busy_s=self._output.busy_s,
            loop_busy_s=gauges.loop_busy_s,
            requests=gauges.requests,
            request_s=gauges.request_s,
            slots=gauges.slots,
            unwritten=settled.total() - self.ledger.durable,
            row_bytes=self._settlement.unwritten_bytes,
            page_bytes=max(gauges.behind_bytes - self._settlement.unwritten_bytes, 0),
        )

    def waits(self) -> Waits:
        """What the jobs that are not in flight wait for."""
        return self.engine.waits()

    # -- the input ------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Admit records while there is room for them."""
        async with aclosing(self._parts.sources) as sources:
            async for lines in sources:
                if not await self._admit_when_there_is_room(lines):
                    break
        self.ledger.is_exhausted = True
        self.moved()

    async def _admit_when_there_is_room(self, lines: list[SourceLine]) -> bool:
        """False when the limit is reached."""
        for piece in _slices(lines, ADMIT_SLICE):
            await self.engine.room()
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
        self.engine.enter(target)

    # -- what the engine tells (parts.Outlet) --------------------------------------------------------------------

    def parsed(self, pages: list[tuple[InHand, Parsed]]) -> None:
        """Pages gave a row, or a store keeps something of them."""
        entries = [entry for page, parsed in pages if (entry := self._settlement.page(page, parsed))]
        if entries:
            self._output.put(entries)
        self._note(pages)

    def _note(self, pages: list[tuple[InHand, Parsed]]) -> None:
        rows = [page for page, parsed in pages if parsed.kind is None]
        if self.first_row_at is None and rows:
            self.first_row_at = self._loop.time()
        self.recorder.pages(
            [PageTimes(row.job.host, row.job.url, row.size, row.head_s, row.took_s, row.parse_s) for row in rows]
        )

    def failed(self, target: Target, fault: Fault, attempts: int) -> None:
        """A URL gave no page."""
        self.recorder.failed(target.host)
        self._settlement.fail(target, fault, attempts)

    def unchanged(self, target: Target) -> None:
        """The row of an earlier session still holds."""
        self._settlement.unchanged(target)

    def short_of_memory(self) -> None:
        """Ask for a commit where it would free much, or where nothing else can free anything; it costs two fsyncs."""
        if not self.engine.is_parsing or self._settlement.unwritten_bytes * HURRY_SHARE > self._limits.memory:
            self._output.commit_soon()

    def moved(self) -> None:
        """The one place that knows when a session is over."""
        is_drained = self.is_stopping and self.engine.is_idle
        if (self.ledger.is_settled or is_drained) and not self._ended.done():
            self.engine.stop()
            self._ended.set_result(None)

    # -- the output -----------------------------------------------------------------------------------------------

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


def _slices(lines: list[SourceLine], size: int) -> Iterator[list[SourceLine]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
