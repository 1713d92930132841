"""The worker pool with real processes: what comes back, and what a page can do to others."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from scraper.errors import ParsePoolError
from scraper.parse.pool import ParsePool, PoolOptions
from scraper.parse.wire import Setup
from scraper.records import Page, Parsed, ParsePlan

HANDLERS = str(Path(__file__).parent / "handlers")


def page(body: bytes) -> Page:
    return Page("http://a/", "http://a/", 200, "text/html", body, 0.0)


def setup(build: str = "build", max_memory: int = 0, timeout_s: float = 30.0) -> Setup:
    return Setup(f"pool_handlers:{build}", ParsePlan(), (*sys.path, HANDLERS), timeout_s, max_memory)


class Collector:
    """Takes results and tells when all that is expected has come."""

    def __init__(self) -> None:
        self.parsed: dict[int, Parsed] = {}
        self._expected = 0
        self._all = asyncio.Event()

    def __call__(self, results: list[tuple[int, Parsed]]) -> None:
        for number, parsed in results:
            assert number not in self.parsed, "a page came back twice"
            self.parsed[number] = parsed
        if len(self.parsed) == self._expected:
            self._all.set()

    async def wait_for(self, expected: int) -> dict[int, Parsed]:
        self._expected = expected
        self._all.clear()
        if len(self.parsed) < expected:
            await asyncio.wait_for(self._all.wait(), 30)
        return self.parsed


async def run(bodies: list[bytes], *, processes: int = 2, timeout_s: float = 30.0, batch_bytes: int = 4096):
    collector = Collector()
    options = PoolOptions(processes, batch_bytes, 0.005, timeout_s)
    async with ParsePool(setup(timeout_s=timeout_s), options, collector) as pool:
        for number, body in enumerate(bodies):
            pool.submit(number, page(body))
        parsed = await collector.wait_for(len(bodies))
        assert (pool.in_hand, pool.waiting) == (0, 0)
        pids = pool.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    return parsed, pool.stats


async def test_every_page_comes_back_once_with_its_own_row():
    bodies = [b"page %d" % number * (number % 50 + 1) for number in range(500)]
    parsed, stats = await run(bodies)
    assert [parsed[number].row for number in range(500)] == [body.upper() for body in bodies]
    assert stats.restarts == 0
    assert stats.batches < 100  # batches, not single pages


@pytest.mark.parametrize("body", [b"", b"x" * 3_000_000], ids=["empty", "larger than any buffer"])
async def test_bodies_of_odd_sizes_arrive_whole(body):
    parsed, _ = await run([body, b"next"], processes=1)
    assert parsed[0].row == body.upper()
    assert parsed[1].row == b"NEXT"


@pytest.mark.parametrize(("order", "words"), [(b"crash", "SIGSEGV"), (b"exit", "exit status 7")])
async def test_page_that_kills_its_worker_costs_only_itself(order, words):
    bodies = [b"ok %d" % number for number in range(40)]
    bodies[17] = order
    parsed, stats = await run(bodies)
    assert parsed[17].kind == "parse_crash"
    assert words in parsed[17].message
    assert all(parsed[number].row for number in range(40) if number != 17)
    assert stats.restarts == 2  # once with its batch, once alone


async def test_page_that_hangs_is_ended_at_the_deadline_and_named():
    bodies = [b"ok", b"hang", b"ok", b"ok"]
    parsed, _ = await run(bodies, processes=1, timeout_s=0.4)
    assert parsed[1].kind == "parse_timeout"
    assert "0.4 s" in parsed[1].message
    assert [parsed[number].row for number in (0, 2, 3)] == [b"OK"] * 3


async def test_worker_out_of_memory_is_replaced_and_the_rest_of_its_batch_goes_on():
    parsed, stats = await run([b"ok", b"memory", b"ok", b"ok"], processes=1)
    assert parsed[1].kind == "parse_memory"
    assert [parsed[number].row for number in (0, 2, 3)] == [b"OK"] * 3
    assert stats.restarts == 1


async def test_worker_killed_from_outside_loses_no_page():
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(2, 64, 0.001, 30.0), collector) as pool:
        for number in range(300):
            pool.submit(number, page(b"ok %d" % number))
            if number in (50, 150):
                with suppress(ProcessLookupError):
                    os.kill(pool.pids[0], signal.SIGKILL)
                await asyncio.sleep(0.01)
        parsed = await collector.wait_for(300)
    assert all(parsed[number].row for number in range(300))


async def test_stopped_worker_is_replaced():
    collector = Collector()
    async with ParsePool(setup(timeout_s=0.5), PoolOptions(1, 64, 0.001, 0.5), collector) as pool:
        pool.submit(0, page(b"ok"))
        await collector.wait_for(1)
        os.kill(pool.pids[0], signal.SIGSTOP)
        for number in range(1, 5):
            pool.submit(number, page(b"ok"))
        parsed = await collector.wait_for(5)
    assert all(parsed[number].row == b"OK" for number in range(5))


@pytest.mark.parametrize(("build", "words"), [("broken", "this plan cannot be built"), ("dying", "exit status 3")])
async def test_worker_that_cannot_start_ends_the_pool_with_the_reason(build, words):
    with pytest.raises(BaseExceptionGroup) as caught:
        async with ParsePool(setup(build), PoolOptions(1, 64, 0.001, 5.0), lambda results: None):
            await asyncio.sleep(20)
    error = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ParsePoolError)
    assert words in str(error)
