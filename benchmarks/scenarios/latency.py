"""A server that is far away: how near throughput comes to concurrency / latency, until the processors are full.

The server is a program too and not exact to the millisecond: what bare sockets reach on it stands beside our figure.
"""

import os
import time
from datetime import datetime

from benchmarks.bench import Bench, add_run, folders, ours, write_list
from benchmarks.contenders.sockets import fetch_all
from benchmarks.results import Case
from benchmarks.rows import read_rows, rows_per_s
from benchmarks.servers import delay_server
from benchmarks.tree import own_cpu_s

LATENCY_S = 0.1
BODY_BYTES = 4000
CONCURRENCIES = (64, 256, 1024)
SECONDS = 5
MOST_PAGES = 30_000


def run(bench: Bench) -> tuple[str, list[Case]]:
    """The tool alone, at three levels of concurrency."""
    cases: list[Case] = []
    for _ in range(bench.rounds):
        for concurrency in CONCURRENCIES:
            _measure(bench, cases, concurrency)
    return f"pages of {BODY_BYTES / 1000:.0f} KB from a server 100 ms away; title and h1; {bench.rounds} rounds", cases


def _measure(bench: Bench, cases: list[Case], concurrency: int) -> None:
    bound = concurrency / LATENCY_S
    pages = min(round(bound * SECONDS), MOST_PAGES)
    with folders("work") as (work,), delay_server(LATENCY_S, BODY_BYTES) as server:
        listed = write_list(work, [f"{server.url}/{number}" for number in range(pages)])
        command = ours(listed, "two.toml", work / "out", "--set", f"fetch.concurrency={concurrency}")
        run = bench.measure(f"{concurrency} connections", pages, command, work)
        busy = (run.cpu_s + own_cpu_s(server.pid)) / run.wall_s / len(os.sched_getaffinity(0))
        rows = read_rows(work / "out" / "pages.jsonl")
        rate = rows_per_s([datetime.fromisoformat(row["fetched_at"]).timestamp() for row in rows], concurrency)
        floor = _floor_per_s([row["url"] for row in rows], concurrency)
    bench.say(
        f"    under way {rate:,.0f} pages/s of {bound:,.0f}, bare sockets {floor:,.0f}; processors {busy:.0%} busy"
    )
    rates = {"bound_per_s": bound, "floor_per_s": floor, "rate_per_s": rate, "share": rate / bound, "busy": busy}
    add_run(cases, str(concurrency), pages, run, **rates)


def _floor_per_s(urls: list[str], concurrency: int) -> float:
    """What bare sockets reach that do nothing with the pages, fetching for a second or two."""
    moments: list[float] = []
    few = urls[: max(2 * concurrency, len(urls) // SECONDS)]
    fetch_all(few, lambda url, body: moments.append(time.time()), concurrency)
    return rows_per_s(moments, concurrency)
