"""A list of a million URLs: when its first page comes, and what the main process holds while it works on it."""

import os
import signal
import time
from datetime import datetime

from benchmarks.bench import Bench, environment, folders, ours
from benchmarks.results import MIB, Case
from benchmarks.rows import read_rows
from benchmarks.servers import delay_server
from benchmarks.tree import measure, rss_bytes

URLS = 1_000_000
BODY_BYTES = 1000
INTERRUPTED = 3
STOPPING_S = 30
SETTLED_S = 10.0
"""By then the window of the frontier is full and the workers run: what is held later is growth."""


class Watcher:
    """Notes the main process's memory, and interrupts it when the time is over."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: when to interrupt."""
        self.series: list[tuple[float, float]] = []
        self._seconds = seconds
        self._interrupted = False

    def __call__(self, pid: int, elapsed_s: float) -> None:
        """Take a sample."""
        if rss := rss_bytes(pid):
            self.series.append((elapsed_s, rss / MIB))
        if elapsed_s > self._seconds and not self._interrupted:
            self._interrupted = True
            os.kill(pid, signal.SIGINT)

    def highest(self, start_s: float, end_s: float) -> float:
        """The most MiB between two moments; 0 where there is no sample."""
        return max((mib for at, mib in self.series if start_s <= at < end_s), default=0.0)


def run(bench: Bench) -> tuple[str, list[Case]]:
    """One run, interrupted after a while: a million pages would take minutes and show nothing more."""
    watcher = Watcher(bench.seconds)
    with folders("work") as (work,), delay_server(0, BODY_BYTES) as server:
        listed = work / "urls.txt"
        with listed.open("w") as file:
            file.writelines(f"{server.url}/{number}\n" for number in range(URLS))
        started = time.time()
        command = ours(listed, "two.toml", work / "out")
        run = measure(
            command,
            cwd=work,
            environment=environment(),
            expected=(0, INTERRUPTED),
            watch=watcher,
            timeout_s=bench.seconds + STOPPING_S,
        )
        rows = read_rows(work / "out" / "pages.jsonl")
    figures = {
        "rows": len(rows),
        "first_page_s": min(datetime.fromisoformat(row["fetched_at"]).timestamp() for row in rows) - started,
        "early_mib": watcher.highest(0, SETTLED_S),
        "most_mib": watcher.highest(0, bench.seconds),
        "last_mib": watcher.highest(bench.seconds - SETTLED_S, bench.seconds),
    }
    bench.say("    " + ", ".join(f"{name} {value:,.2f}" for name, value in figures.items()))
    setting = f"{URLS:,} URLs of 1 KB pages from a Python server, interrupted after {bench.seconds:.0f} s"
    return setting, [Case("ours", len(rows), [run], figures)]
