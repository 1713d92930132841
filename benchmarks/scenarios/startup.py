"""What a start costs: the help, and a run of one URL."""

import sys

from benchmarks.bench import Bench, add_run, folders
from benchmarks.results import Case
from benchmarks.servers import delay_server

RUNS = 10


def run(bench: Bench) -> tuple[str, list[Case]]:
    """Each command some times, after one run that is not counted: it may have to compile the modules."""
    cases: list[Case] = []
    with folders("work") as (work,), delay_server(0, 4000) as server:
        scraper = [sys.executable, "-m", "scraper"]
        commands = {
            "scraper --help": [*scraper, "--help"],
            "scraper run URL": [*scraper, "run", server.url, "-o", str(work / "out"), "--fresh", "--no-progress"],
        }
        for number in range(RUNS + 1):
            for name, command in commands.items():
                run = bench.measure(name, 1, command, work)
                if number:
                    add_run(cases, name, 1, run)
    return f"{RUNS} runs of each command, files in the page cache", cases
