"""Whole pipelines in processes: the sites are dealt out to them, each has a loop of its own, and one writer persists.

A host lives in one shard, so that its politeness is kept exactly; a redirect that leads to a host of another shard is
sent there. A shard that dies is replaced, and what it had taken up and not ended is given to the next one.
"""

import asyncio
from collections import Counter
from functools import partial
from types import TracebackType
from typing import Any, Self

from scraper.errors import ParsePoolError, ScraperError
from scraper.models.blueprint import Blueprint, auto_notes
from scraper.models.cell import Cell
from scraper.models.link import SLACK_S, Link, open_link, watch
from scraper.models.shard import ShardSetup
from scraper.models.shards import Enter, Free, Stop, Told, in_hand_of, shard_of, sites_of
from scraper.parse.process import reap
from scraper.parts import Gauges, InHand, Outlet
from scraper.records import Fault, Job, Parsed, Target
from scraper.stats import Waits, most_waited

CODE = "from scraper.models import shard; shard.main({fd})"
DEATHS = 5
"""So many shards in a row that die without having ended a URL, and with no page in parse: the run ends."""


class _Hold:
    """`parts.Hold` of a row whose bytes are counted in a shard."""

    __slots__ = ("_life", "_number", "_shard", "held")

    def __init__(self, shard: "_Shard", number: int, held: int) -> None:
        self._shard = shard
        self._life = shard.life
        self._number = number
        self.held = held

    def shrink_to(self, n: int) -> None:
        """The shard has done so before it sent the row."""
        self.held = n

    def release(self) -> None:
        """Let the shard set the bytes free."""
        if self._life == self._shard.life:
            self._shard.free(self._number)


class _Shard:
    """One shard as the run sees it: what it was given, and what is on its way to it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.life = 0
        """Which process it is by now; what was held in an earlier one is gone."""
        self.link: Link | None = None
        self.cell = Cell()
        self.open: dict[int, Target] = {}
        self.gauges = Gauges()
        self.waits = Waits()
        self.is_idle = False
        self.deaths = 0
        self._freed: list[int] = []
        self._targets: list[Target] = []
        self._jobs: list[tuple[Job, float]] = []
        self._is_flushing = False

    def enter(self, target: Target) -> None:
        self.open[target.key] = target
        self._targets.append(target)
        self._flush_soon()

    def enter_job(self, job: Job, wait_s: float) -> None:
        self.open[job.target.key] = job.target
        self._jobs.append((job, wait_s))
        self._flush_soon()

    def free(self, number: int) -> None:
        self._freed.append(number)
        self._flush_soon()

    def hold(self, number: int, held: int) -> _Hold:
        return _Hold(self, number, held)

    def begin_anew(self) -> None:
        """All that is open is to be given to the next process; what the last one held is gone."""
        self.life += 1
        self._freed, self._targets, self._jobs = [], list(self.open.values()), []
        self.is_idle = False

    @property
    def target_in_parse(self) -> Target | None:
        """The page that the process had in parse when it died."""
        if self.cell.is_silent:
            return None
        return next((target for target in self.open.values() if self.cell.says(target.url)), None)

    def _flush_soon(self) -> None:
        if not self._is_flushing:
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        self._is_flushing = False
        if self.link is None:
            return
        if self._freed:
            self.link.send(Free(self._freed))
            self._freed = []
        if self._targets or self._jobs:
            self.link.send(Enter(self._targets, self._jobs))
            self._targets, self._jobs = [], []


class ShardedEngine:
    """`parts.Engine` over several processes."""

    def __init__(self, blueprint: Blueprint, outlet: Outlet) -> None:
        """Nothing is started before the block is entered."""
        self._blueprint = blueprint
        self._outlet = outlet
        self._shards = [_Shard(number) for number in range(blueprint.workers)]
        self._window = max(1, blueprint.config.run.window // len(self._shards))
        self._tasks = asyncio.TaskGroup()
        self._room = asyncio.Event()
        self._room.set()
        self._gone: list[Link] = []
        self._site_of = sites_of(shares_cookies=blueprint.config.fetch.cookies)
        self._sites: set[str] = set()
        """The first two."""
        self._strikes: Counter[int] = Counter()
        self._watch: asyncio.Task[None] | None = None
        self._failed_starts = 0
        self._is_stopping = False
        self._is_closing = False

    async def __aenter__(self) -> Self:
        """Start the shards. Raises ParsePoolError where that cannot be done."""
        await self._tasks.__aenter__()
        most_s = self._blueprint.config.parse.timeout + SLACK_S
        self._watch = self._tasks.create_task(watch(self._links, most_s))
        try:
            for shard in self._shards:
                await self._start(shard)
        except BaseException as exc:
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the shards and wait for them."""
        self.close()
        try:
            await self._tasks.__aexit__(kind, exc, trace)
        finally:
            links = [shard.link for shard in self._shards if shard.link is not None]
            await asyncio.to_thread(reap, [link.process for link in (*links, *self._gone)])
            for shard in self._shards:
                shard.cell.close()

    async def room(self) -> None:
        """Wait until every shard has room: which one the next target belongs to is not known yet."""
        await self._room.wait()

    def enter(self, target: Target) -> None:
        """Give a URL to the shard of its host."""
        site = self._site_of(target.host)
        if len(self._sites) < 2:
            self._sites.add(site)
        shard = self._shards[shard_of(site, len(self._shards))]
        shard.enter(target)
        if len(shard.open) >= self._window:
            self._room.clear()

    def stop(self) -> None:
        """Tell the shards to begin no further request."""
        if not self._is_stopping:
            self._is_stopping = True
            self._room.set()
            for shard in self._shards:
                self._send_stop(shard)

    def close(self) -> None:
        """End the shards, whatever they do."""
        if not self._is_closing:
            self._is_closing = True
            if self._watch is not None:
                self._watch.cancel()
            for shard in self._shards:
                if shard.link is not None:
                    shard.link.close(at_once=True)

    @property
    def is_idle(self) -> bool:
        """Every shard has stopped and has nothing under way."""
        return all(shard.is_idle for shard in self._shards)

    @property
    def is_parsing(self) -> bool:
        """Never waited for here: a shard parses when its loop comes to it."""
        return False

    def notes(self) -> list[str]:
        """What its settings that say "auto" came to; and a list of one host cannot be dealt out."""
        notes = auto_notes(self._blueprint) if self._sites else []
        if len(self._sites) != 1 or len(self._shards) == 1:
            return notes
        what, only = "site" if self._blueprint.config.fetch.cookies else "host", next(iter(self._sites))
        return [
            *notes,
            f"all pages are of one {what}, {only}, so 1 of {len(self._shards)} shards does the work: "
            'run.model = "hybrid" uses the other cores too',
        ]

    def gauges(self) -> Gauges:
        """The sums of what the shards told last; of their loops the mean."""
        all_ = [shard.gauges for shard in self._shards]
        return Gauges(
            sum(gauges.in_flight for gauges in all_),
            sum(gauges.queued for gauges in all_),
            sum(gauges.backoffs for gauges in all_),
            sum(gauges.parsing for gauges in all_),
            any(gauges.bodies_waiting for gauges in all_),
            sum(gauges.pages_bytes for gauges in all_),
            sum(gauges.parse_busy_s for gauges in all_),
            sum(gauges.loop_busy_s for gauges in all_) / len(all_),
            sum(gauges.requests for gauges in all_),
            sum(gauges.request_s for gauges in all_),
            sum(gauges.behind_bytes for gauges in all_),
        )

    def waits(self) -> Waits:
        """What the jobs of all shards waited for when they told."""
        return most_waited(shard.waits for shard in self._shards)

    # -- the shards -------------------------------------------------------------------------------------------------

    async def _start(self, shard: _Shard) -> None:
        if self._is_closing:
            return
        shard.link = link = await open_link(
            CODE, partial(self._on_record, shard), partial(self._on_lost, shard), shard.cell.fd
        )
        link.send(ShardSetup(self._blueprint, shard.number, len(self._shards), shard.cell.fd))
        shard.flush()
        if self._is_stopping:
            self._send_stop(shard)

    def _links(self) -> list[Link]:
        """All: a shard tells its state also where nothing happens."""
        return [shard.link for shard in self._shards if shard.link is not None]

    def _send_stop(self, shard: _Shard) -> None:
        if shard.link is not None:
            shard.link.send(Stop())

    def _on_record(self, shard: _Shard, record: Any) -> None:
        if isinstance(record, Told):
            self._failed_starts = 0
            self._on_told(shard, record)
        elif isinstance(record, Exception):
            self._fail(record)

    def _on_told(self, shard: _Shard, told: Told) -> None:
        shard.gauges = told.gauges
        shard.waits = told.waits or shard.waits
        shard.is_idle = told.is_idle
        if told.ended or told.failed or told.unchanged:
            shard.deaths = 0
        self._pass_on(shard, told)
        for job, wait_s in told.elsewhere:
            shard.open.pop(job.target.key, None)
            self._shards[shard_of(self._site_of(job.host), len(self._shards))].enter_job(job, wait_s)
        if told.is_short:
            self._outlet.short_of_memory()
        if all(len(each.open) < self._window for each in self._shards):
            self._room.set()
        self._outlet.moved()

    def _pass_on(self, shard: _Shard, told: Told) -> None:
        pages: list[tuple[InHand, Parsed]] = []
        for ended in told.ended:
            target = shard.open.pop(ended.key)
            pages.append((in_hand_of(ended, target, shard.hold(ended.number, ended.held)), ended.parsed))
        if pages:
            self._outlet.parsed(pages)
        for key, fault, attempts in told.failed:
            self._outlet.failed(shard.open.pop(key), fault, attempts)
        for key in told.unchanged:
            self._outlet.unchanged(shard.open.pop(key))

    def _on_lost(self, shard: _Shard) -> None:
        if self._is_closing or shard.link is None:
            return
        link, shard.link = shard.link, None
        self._gone.append(link)
        link.close(at_once=False)
        if not link.is_ready:
            self._failed_starts += 1
            if refusal := link.refuse_to_start(self._failed_starts):
                self._fail(refusal)
                return
        self._judge(shard, link)
        shard.begin_anew()
        self._tasks.create_task(self._start(shard))

    def _judge(self, shard: _Shard, link: Link) -> None:
        """The page that the shard had in parse, if any: it may have been killed from outside, so it has two tries."""
        guilty, status = shard.target_in_parse, shard.cell.status
        shard.cell.write("")
        verdict = link.verdict(self._blueprint.config.parse.timeout)
        link.process.kill()
        if guilty is None:
            shard.deaths += 1
            if shard.deaths >= DEATHS:
                self._fail(ParsePoolError(f"a shard dies again and again ({verdict.message}): try another run.model"))
            return
        self._strikes[guilty.key] += 1
        if self._strikes[guilty.key] > 1:
            del shard.open[guilty.key]
            self._outlet.failed(guilty, Fault(verdict.kind or "parse_crash", verdict.message, status), 1)

    def _fail(self, error: Exception) -> None:
        """End the block with an error; only the first counts."""

        async def fail() -> None:
            raise error if isinstance(error, ScraperError) else ParsePoolError(f"a shard failed: {error!r}")

        if not self._is_closing:
            self.close()
            self._tasks.create_task(fail())


def open_sharded(blueprint: Blueprint, outlet: Outlet) -> ShardedEngine:
    """The engine of a run."""
    return ShardedEngine(blueprint, outlet)
