"""What it costs to hand a page to another process and get a row of 5 KB back, by the ways of handoff.py.

Wall time hides what two processes do at once, and processors are what is short: so the CPU of both is told too, in a
table at the end of the output. There the ways take turns: one after the other, they would each meet another machine.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.handoff import WAYS, Numbered, Side, other_process
from scraper.records import Page

BATCH_BYTES = 256 * 1024
BATCHES = 32
"""Different ones, 8 MB together: a page that comes from the network does not lie in the nearest cache either."""
TURNS = 60
BATCHES_A_TURN = 20

Spent = tuple[float, float, float]
"""Seconds: of the clock, of CPU here, of CPU there."""


def batches_of(body_bytes: int) -> list[list[Numbered]]:
    url, draw = "http://127.0.0.1:8000/news/1", random.Random(0)
    return [
        [(id, Page(url, url, 200, "text/html", draw.randbytes(body_bytes), 0.0)) for id in range(pages_of(body_bytes))]
        for _ in range(BATCHES)
    ]


def pages_of(body_bytes: int) -> int:
    return max(1, BATCH_BYTES // body_bytes)


def there_and_back(side: Side, batches: Iterator[list[Numbered]]) -> int:
    side.send_pages(next(batches))
    return len(side.receive_rows().results)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("body_bytes", [30_000, 290_000])
def test_batch_there_and_rows_back(benchmark: BenchmarkFixture, way: str, body_bytes: int) -> None:
    batches = cycle(batches_of(body_bytes))
    with other_process(way) as (side, _):
        there_and_back(side, batches)  # waits until the other process has started
        assert benchmark(there_and_back, side, batches) == pages_of(body_bytes)


@pytest.mark.parametrize("body_bytes", [30_000, 290_000])
def test_cpu_of_both_processes(record_property: Callable[[str, object], None], body_bytes: int) -> None:
    batches = cycle(batches_of(body_bytes))
    spent: dict[str, list[Spent]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        sides = {way: stack.enter_context(other_process(way)) for way in WAYS}
        for side, pid in sides.values():  # starts the other processes, and fills their heaps
            one_turn(side, pid, batches)
        for turn in range(TURNS):
            for way in random.Random(turn).sample(list(WAYS), len(WAYS)):  # none always follows the same other
                spent[way].append(one_turn(*sides[way], batches))
    pages = BATCHES_A_TURN * pages_of(body_bytes)
    for way, turns in spent.items():
        assert min(min(turn) for turn in turns) > 0
        record_property("handoff", (way, body_bytes, [tuple(s / pages * 1e6 for s in turn) for turn in turns]))


def one_turn(side: Side, pid: int, batches: Iterator[list[Numbered]]) -> Spent:
    wall, ours, theirs = time.perf_counter(), time.process_time(), cpu_s_of(pid)
    for _ in range(BATCHES_A_TURN):
        there_and_back(side, batches)
    return time.perf_counter() - wall, time.process_time() - ours, cpu_s_of(pid) - theirs


def cpu_s_of(pid: int) -> float:
    """CPU seconds of a process, to the nanosecond where /proc has hundredths of a second.

    Its clock as clock_getcpuclockid(3) makes it; Python offers that for threads only.
    """
    return time.clock_gettime(~pid << 3 | 2)
