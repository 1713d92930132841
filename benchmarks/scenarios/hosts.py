"""Many hosts, each asked seldom: how near throughput comes to what delay, slots and latency allow together.

The hosts are addresses of 127.0.0.0/8, all on one server. With 200 of them the delay is what bounds the run, with
10,000 the slots are. Latency and slots are such that the processors have time left: they are not what is measured here.
"""

from datetime import datetime
from urllib.parse import urlsplit

from benchmarks.bench import Bench, BenchError, add_run, folders, ours, write_list
from benchmarks.results import Case
from benchmarks.rows import missing_rows, read_rows, rows_per_s
from benchmarks.servers import delay_server

DELAY_S = 0.5
LATENCY_S = 0.4
CONCURRENCY = 256
BODY_BYTES = 4000
HOSTS = {200: 20, 10_000: 1.6}
"""Pages of each host, by the number of hosts."""


def run(bench: Bench) -> tuple[str, list[Case]]:
    """The tool alone, with few hosts and with many."""
    cases: list[Case] = []
    for _ in range(bench.rounds):
        for hosts, pages_each in HOSTS.items():
            _measure(bench, cases, hosts, round(hosts * pages_each))
    return (
        f"pages of {BODY_BYTES / 1000:.0f} KB from hosts {LATENCY_S:g} s away, {DELAY_S:g} s between two requests to "
        f"one, {CONCURRENCY} slots, robots.txt of each asked before, which counts as no page; title and h1; "
        f"{bench.rounds} rounds",
        cases,
    )


def host_name(number: int) -> str:
    """An address of 127.0.0.0/8, none twice.

    >>> host_name(0), host_name(249), host_name(250), host_name(62_500)
    ('127.1.0.1', '127.1.0.250', '127.1.1.1', '127.2.0.1')
    """
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def _measure(bench: Bench, cases: list[Case], hosts: int, pages: int) -> None:
    with folders("work") as (work,), delay_server(LATENCY_S, BODY_BYTES, everywhere=True) as server:
        port = urlsplit(server.url).port
        urls = [f"http://{host_name(number % hosts)}:{port}/{number}" for number in range(pages)]
        command = ours(write_list(work, urls), "two.toml", work / "out", *_settings())
        run = bench.measure(f"{hosts:,} hosts", pages, command, work)
        rows = read_rows(work / "out" / "pages.jsonl")
    if wrong := missing_rows(urls, rows):
        raise BenchError(f"{len(wrong):,} URLs without a row of their own, the first: {wrong[0]}")
    at_once = min(hosts, CONCURRENCY)
    rate = rows_per_s([datetime.fromisoformat(row["fetched_at"]).timestamp() for row in rows], at_once)
    by_delay, by_slots = hosts / DELAY_S, CONCURRENCY / LATENCY_S
    share = rate / min(by_delay, by_slots)
    bench.say(f"    under way {rate:,.0f} pages/s of {min(by_delay, by_slots):,.0f}: {share:.1%}")
    figures = {"delay_bound_per_s": by_delay, "slots_bound_per_s": by_slots, "rate_per_s": rate, "share": share}
    add_run(cases, str(hosts), pages, run, **figures)


def _settings() -> list[str]:
    settings = (f"politeness.delay={DELAY_S}s", f"fetch.concurrency={CONCURRENCY}")
    return [word for setting in settings for word in ("--set", setting)]
