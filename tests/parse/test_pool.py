"""The worker pool with real processes: what comes back, and what a page can do to others."""

import asyncio
import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from scraper.errors import ParsePoolError, first_of
from scraper.parse import process as processes_of
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


async def test_heavy_pages_travel_one_by_one_so_that_no_worker_has_many_left_at_the_end():
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(2, 4096, 0.005, 30.0), collector) as pool:
        pool.submit(0, page(b"nap"))
        await collector.wait_for(1)
        for number in range(1, 7):
            pool.submit(number, page(b"nap"))
        await collector.wait_for(7)
    assert pool.stats.batches == 7


@pytest.mark.parametrize("body", [b"", b"x" * 3_000_000], ids=["empty", "larger than any buffer"])
async def test_bodies_of_odd_sizes_arrive_whole(body):
    parsed, _ = await run([body, b"next"], processes=1)
    assert parsed[0].row == body.upper()
    assert parsed[1].row == b"NEXT"


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (b"crash", "(signal SIGSEGV)"),
        (b"signal 40", "(signal 40)"),
        (b"exit", "(exit status 7)"),
        (b"close 0.05", "(exit status 9)"),  # the stream ends before the process does
        (b"close 60", "(it closed its stream)"),
    ],
)
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


async def test_page_sent_to_a_worker_killed_while_idle_is_not_blamed():
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(1, 1, 0.001, 30.0), collector) as pool:
        for number in range(3):
            pool.submit(number, page(b"ok"))
            await collector.wait_for(number + 1)
            os.kill(pool.pids[0], signal.SIGKILL)
        assert {parsed.row for parsed in collector.parsed.values()} == {b"OK"}


async def test_nothing_is_sent_to_a_worker_that_is_known_to_be_dead():
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(1, 1, 0.001, 30.0), collector) as pool:
        pool.submit(0, page(b"ok"))
        await collector.wait_for(1)
        end_and_see(pool.pids[0])
        pool.submit(1, page(b"ok"))  # the end of the stream is not noticed before the loop runs
        assert (pool.in_hand, pool.waiting) == (0, 1)
        assert (await collector.wait_for(2))[1].row == b"OK"
    assert pool.stats.batches == 2


async def test_worker_whose_orphan_holds_the_stream_is_replaced():
    async with asyncio.timeout(10):
        parsed, _ = await run([b"ok", b"orphan", b"ok"], processes=1, timeout_s=0.4)
    assert parsed[1].kind in ("parse_crash", "parse_timeout")
    assert [parsed[number].row for number in (0, 2)] == [b"OK"] * 2


async def test_time_in_which_the_whole_run_was_stopped_counts_for_no_page():
    collector = Collector()
    async with ParsePool(setup(timeout_s=0.4), PoolOptions(1, 1, 0.001, 0.4), collector) as pool:
        pool.submit(0, page(b"ok"))
        await collector.wait_for(1)
        pool.submit(1, page(b"nap"))
        stand_still(pool.pids[0], 0.6)
        parsed = await collector.wait_for(2)
    assert parsed[1].row == b"NAP"
    assert pool.stats.restarts == 0


@pytest.mark.parametrize(
    "extra",
    [None, {}, {"id": 123456789012345678901234567890}, {"id": -(2**63) - 1}, {"a": [1.5, {"b": "\u00e9"}, None]}],
)
async def test_columns_of_the_input_arrive_unchanged(extra):
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(1, 1, 0.001, 30.0), collector) as pool:
        pool.submit(0, replace(page(b"columns"), extra=extra))
        parsed = await collector.wait_for(1)
    assert json.loads(parsed[0].row) == extra
    assert pool.stats.restarts == 0


async def test_page_that_cannot_be_sent_is_settled_alone():
    collector = Collector()
    async with ParsePool(setup(), PoolOptions(1, 1000, 0.001, 30.0), collector) as pool:
        for number in range(9):
            pool.submit(number, replace(page(b"ok"), content_type="\ud800" if number % 4 == 1 else "text/html"))
        parsed = await collector.wait_for(9)
    assert [number for number in range(9) if parsed[number].kind] == [1, 5]
    assert parsed[1].kind == "parse_crash"
    assert "cannot be handed to a parse worker: UnicodeEncodeError" in parsed[1].message
    assert pool.stats.restarts == 0


async def test_no_page_stands_in_the_words_for_a_worker():
    async with ParsePool(setup(), PoolOptions(1, 1, 0.001, 30.0), Collector()) as pool:
        await hold(pool, [b"hang and tell nobody"])
        assert "tell nobody" not in repr(pool._workers)


async def test_leaving_waits_for_no_page_in_hand():
    async with ParsePool(setup(), PoolOptions(3, 1, 0.001, 30.0), Collector()) as pool:
        await hold(pool, [b"hang"] * 3)
        started = time.monotonic()
    assert time.monotonic() - started < processes_of.CLOSE_WITHIN_S / 2


async def test_after_an_error_no_worker_is_waited_for():
    collector = Collector()
    with suppress(BaseExceptionGroup):
        async with ParsePool(setup("stubborn"), PoolOptions(1, 1, 0.001, 30.0), collector) as pool:
            pool.submit(0, page(b"ok"))
            await collector.wait_for(1)
            started = time.monotonic()
            raise ValueError
    assert time.monotonic() - started < processes_of.CLOSE_WITHIN_S / 2


class Stubborn:
    """A process that only ends when it is killed; waiting takes no real time."""

    def __init__(self, clock: list[float]) -> None:
        self.clock = clock
        self.killed = False

    def wait(self, timeout: float | None = None) -> None:
        if not self.killed:
            assert timeout is not None
            self.clock[0] += timeout
            raise subprocess.TimeoutExpired("", timeout)

    def kill(self) -> None:
        self.killed = True


def test_workers_share_the_time_to_end(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(processes_of.time, "monotonic", lambda: clock[0])
    processes = [Stubborn(clock) for _ in range(5)]
    processes_of.reap(processes)
    assert all(process.killed for process in processes)
    assert clock[0] == 100.0 + processes_of.CLOSE_WITHIN_S


async def test_error_of_the_taker_of_results_ends_the_pool_with_it():
    def take(results):
        raise LookupError("nobody asked for these")

    pool = ParsePool(setup(), PoolOptions(1, 1, 0.001, 30.0), take)
    error = await error_of(pool, lambda: pool.submit(0, page(b"ok")))
    assert isinstance(error, LookupError)
    assert pool.stats.restarts == 0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("broken", "this plan cannot be built"),
        ("unspeakable", "half a pair: \\ud800"),
        ("dying", "exit status 3"),
    ],
)
async def test_worker_that_cannot_start_ends_the_pool_with_the_reason(build, words):
    error = await error_of(ParsePool(setup(build), PoolOptions(1, 64, 0.001, 5.0), Collector()))
    assert isinstance(error, ParsePoolError)
    assert words in str(error)


async def test_too_few_open_files_for_the_workers_are_named_with_advice():
    with few_open_files():
        error = await error_of(ParsePool(setup(), PoolOptions(8, 64, 0.001, 5.0), Collector()))
    assert isinstance(error, ParsePoolError)
    assert str(error).startswith("cannot start a parse worker: Too many open files; lower parse.processes")


async def test_system_without_room_for_a_new_worker_ends_the_pool_with_advice(monkeypatch):
    pool, pids = ParsePool(setup(), PoolOptions(2, 64, 0.001, 5.0), Collector()), []

    def spawn(code, fds):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    def lose_a_worker():
        pids.extend(pool.pids)
        monkeypatch.setattr(processes_of, "_spawn", spawn)
        os.kill(pids[0], signal.SIGKILL)

    error = await error_of(pool, lose_a_worker)
    assert isinstance(error, ParsePoolError)
    assert "ulimit -u" in str(error)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def hold(pool: ParsePool, bodies: list[bytes]) -> None:
    """Submit pages and wait until workers have them."""
    for number, body in enumerate(bodies):
        pool.submit(number, page(body))
    while pool.in_hand < len(bodies):  # noqa: ASYNC110 - the pool tells nobody when it sends
        await asyncio.sleep(0.01)


async def error_of(pool: ParsePool, then: Callable[[], object] = lambda: None) -> BaseException:
    """What ends the pool's block, in which `then` is called."""
    try:
        async with pool:
            then()
            await asyncio.sleep(20)
    except BaseExceptionGroup as group:
        return first_of(group)
    raise AssertionError("nothing ended the block")


def end_and_see(pid: int) -> None:
    """Kill a worker, and go on when it is dead."""
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def stand_still(pid: int, seconds: float) -> None:
    """Stop a worker and this loop, as a suspended machine does."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


@contextmanager
def few_open_files() -> Iterator[None]:
    """Room for one or two workers' files, and no more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 8, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
