"""The pipeline's own decisions, with a fake fetch stage and output; workers are real."""

import asyncio
import gzip
import json
import sys
from collections.abc import AsyncGenerator
from dataclasses import replace as replace_limits
from functools import partial

import pytest
from msgspec.structs import replace

from scraper.backlog import UNWRITTEN_MOST
from scraper.engine import LocalEngine
from scraper.errors import WriteError
from scraper.fetch.retry import RetryPolicy
from scraper.parse.pool import ParsePool, PoolOptions
from scraper.parse.wire import Setup
from scraper.parts import EngineParts, Limits, Parts
from scraper.pipeline import Pipeline
from scraper.records import Fault, Job, Page, ParsePlan, SourceLine
from scraper.stats import Capacity
from scraper.urls.pace import HostLimits
from scraper.work import BUILD

NO_RETRIES = RetryPolicy(0)
LIMITS = Limits(memory=1 << 20, shutdown_timeout_s=5.0)


class Fetcher:
    """Answers at once with a page, or as it is told."""

    def __init__(self, body: bytes = b"<title>a</title>") -> None:
        self.body = body
        self.jobs: list[Job] = []
        self.answer = None

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return None

    async def fetch(self, job, reservation):
        self.jobs.append(job)
        await asyncio.sleep(0)
        if self.answer is not None:
            return self.answer
        await reservation.grow(len(self.body))
        return Page(job.target.url, job.url, 200, "text/html", self.body, 0.0, job.target.extra)


class Output:
    """Takes entries; makes them durable only when somebody hurries or `lazy` is off."""

    busy_s = 0.0

    def __init__(self, lazy: bool = False) -> None:
        self.lazy = lazy
        self.entries = []
        self.pending = []
        self.hurried = 0

    def open(self, on_commit, on_error):
        self.on_commit, self.on_error = on_commit, on_error
        return self

    def put(self, entries) -> None:
        self.entries += entries
        self.pending += entries
        if not self.lazy:
            self.commit()

    def commit_soon(self) -> None:
        self.hurried += 1
        self.commit()

    def commit(self) -> None:
        group, self.pending = self.pending, []
        self.on_commit(group)


async def lines(*chunks) -> AsyncGenerator[list[SourceLine], None]:
    for chunk in chunks:
        yield chunk


def urls(count: int, **extra) -> list[SourceLine]:
    return [SourceLine(f"http://a.example/{number}", number, extra or None) for number in range(count)]


def pipeline(sources, fetcher, output, limits=LIMITS, retries=NO_RETRIES, window=100) -> Pipeline:
    setup = Setup(BUILD, ParsePlan(), tuple(sys.path), 30.0, 0)
    engine = EngineParts(
        fetcher=fetcher,
        open_parser=lambda on_parsed: ParsePool(setup, PoolOptions(1, 1 << 16, 0.001, 30.0), on_parsed),
        retries=retries,
        host_limits=lambda host: HostLimits(100, 0.0),
        concurrency=4,
        window=window,
        memory=limits.memory,
        max_redirects=3,
    )
    parts = Parts(sources, partial(LocalEngine, engine), output.open, Capacity(4, 1))
    return Pipeline(parts, limits)


async def finish(run: Pipeline):
    ledger = await asyncio.wait_for(run.run(), 30)
    await asyncio.sleep(0.01)  # the last commits arrive by call_soon
    run.check_balance()
    return ledger


async def test_every_record_ends_in_one_outcome():
    output = Output()
    ledger = await finish(pipeline(lines(urls(50), [SourceLine("nonsense", 51)]), Fetcher(), output))
    assert ledger.settled == {"ok": 50, "invalid_url": 1}
    assert len({entry.key for entry in output.entries}) == 51


async def test_limit_ends_the_reading_at_once():
    async def endless():
        yield urls(10)
        await asyncio.sleep(3600)

    limits = replace_limits(LIMITS, limit=10)
    ledger = await finish(pipeline(endless(), Fetcher(), Output(), limits))
    assert ledger.settled["ok"] == 10


async def test_reading_pauses_for_outcomes_that_are_not_durable_and_asks_for_a_commit():
    output = Output(lazy=True)
    bad = [[SourceLine(f"nonsense {n}", n) for n in range(start, start + 1000)] for start in range(0, 25_000, 1000)]
    run = pipeline(lines(*bad), Fetcher(), output)
    await asyncio.wait_for(run.run(), 30)
    assert run.ledger.settled.total() == 25_000
    assert output.hurried >= 1
    assert len(output.pending) <= UNWRITTEN_MOST


async def test_rows_that_are_not_durable_are_committed_early_when_others_wait_for_their_bytes():
    output = Output(lazy=True)
    fetcher = Fetcher(b"<title>" + b"x" * 200_000 + b"</title>")
    run = pipeline(lines(urls(30)), fetcher, output)
    await asyncio.wait_for(run.run(), 30)
    assert run.ledger.settled["ok"] == 30
    assert output.hurried >= 2
    assert run.engine.budget.peak <= LIMITS.memory + len(fetcher.body) + 4096


async def test_empty_pages_hold_bytes_too():
    output = Output(lazy=True)
    run = pipeline(lines(urls(2000)), Fetcher(b""), output)
    await asyncio.wait_for(run.run(), 30)
    assert run.ledger.settled["ok"] == 2000
    assert run.engine.budget.peak > 2048


async def test_carried_columns_pause_the_reading():
    output, fetcher = Output(), Fetcher()
    run = pipeline(lines(*[urls(256, note="x" * 10_000)] * 1, urls(2000)), fetcher, output, window=100_000)
    peak = 0

    async def watch():
        nonlocal peak
        while True:
            peak = max(peak, run._backlog.carried)
            await asyncio.sleep(0)

    watcher = asyncio.ensure_future(watch())
    ledger = await finish(run)
    watcher.cancel()
    assert ledger.outcomes.total() == 2000
    assert 0 < peak < 3_000_000
    assert run._backlog.carried == 0


class Cutting(Fetcher):
    """Gives the first `cuts` tries of each page a gzip body that lacks its end."""

    def __init__(self, cuts: int) -> None:
        super().__init__(gzip.compress(b"<title>a</title>" + bytes(100_000)))
        self.cuts = cuts

    async def fetch(self, job, reservation):
        page = await super().fetch(job, reservation)
        body = page.body[:-1] if job.attempt <= self.cuts else page.body
        return replace(page, body=body, coding="gzip")


async def test_page_that_its_worker_finds_cut_is_fetched_again():
    output, fetcher = Output(), Cutting(2)
    run = pipeline(lines(urls(20, id="7")), fetcher, output, retries=RetryPolicy(2, base_s=0.01))
    ledger = await finish(run)
    assert ledger.settled == {"ok": 20}
    assert len(fetcher.jobs) == 60
    assert len(output.entries) == 20
    assert (run.engine.budget.used, run._backlog.carried) == (0, 0)


async def test_page_that_stays_cut_ends_once_with_its_tries():
    output, fetcher = Output(), Cutting(9)
    run = pipeline(lines(urls(3)), fetcher, output, retries=RetryPolicy(2, base_s=0.01))
    ledger = await finish(run)
    assert ledger.settled == {"truncated": 3}
    failures = [json.loads(entry.line) for entry in output.entries]
    assert [(failure["attempts"], failure["status"]) for failure in failures] == [(3, 200)] * 3
    assert run.engine.budget.used == 0


async def test_page_that_a_worker_refuses_for_good_is_not_fetched_again():
    output, fetcher = Output(), Cutting(0)
    fetcher.body = b"no gzip"
    run = pipeline(lines(urls(3)), fetcher, output, retries=RetryPolicy(2, base_s=0.01))
    assert (await finish(run)).settled == {"decode": 3}
    assert len(fetcher.jobs) == 3
    assert run.engine.budget.used == 0


async def test_stop_does_not_wait_for_a_page_to_be_fetched_again():
    run = pipeline(lines(urls(4)), Cutting(9), Output(), retries=RetryPolicy(9, base_s=3600.0, cap_s=3600.0))
    running = asyncio.ensure_future(run.run())
    while run.sample().backoffs < 4:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    run.stop()
    ledger = await asyncio.wait_for(running, 5)
    assert (ledger.open, run.engine.budget.used) == (4, 0)


async def test_failing_output_ends_the_run_with_its_error():
    output, fetcher = Output(lazy=True), Fetcher()
    run = pipeline(lines(urls(5)), fetcher, output)
    asyncio.get_running_loop().call_later(0.05, lambda: output.on_error(WriteError("disk full")))
    fetcher_waits = asyncio.Event()

    async def never(job, reservation):
        await fetcher_waits.wait()

    fetcher.fetch = never
    with pytest.raises(WriteError, match="disk full"):
        await asyncio.wait_for(run.run(), 10)


async def test_fetch_that_swallows_its_cancellation_does_not_hold_up_the_end():
    """A wire may turn a cancellation into a fault; the loop must not begin another request then."""

    class Deaf(Fetcher):
        async def fetch(self, job, reservation):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                return Fault("protocol", "swallowed")

    run = pipeline(lines(urls(50)), Deaf(), Output())
    asyncio.get_running_loop().call_later(0.05, run.abort)
    ledger = await asyncio.wait_for(run.run(), 10)
    assert ledger.open >= 46  # the four under way at most have got an outcome


async def test_stop_finishes_what_is_under_way_and_leaves_the_rest():
    fetcher = Fetcher()
    run = pipeline(lines(urls(90)), fetcher, Output())
    begun = asyncio.Event()
    plain = fetcher.fetch

    async def slow(job, reservation):
        begun.set()
        await asyncio.sleep(0.05)
        return await plain(job, reservation)

    fetcher.fetch = slow
    running = asyncio.ensure_future(run.run())
    await begun.wait()
    run.stop()
    ledger = await asyncio.wait_for(running, 10)
    assert ledger.settled["ok"] == 4
    assert ledger.open == 86
    assert not ledger.is_settled
