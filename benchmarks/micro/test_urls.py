"""The work for each URL of a list: its canonical form, and its way through the frontier."""

from pytest_benchmark.fixture import BenchmarkFixture

from scraper.records import Job, SourceLine
from scraper.urls.canonical import identify
from scraper.urls.frontier import Frontier
from scraper.urls.pace import HostLimits
from scraper.urls.seen import SeenSet

LINES = [SourceLine(f"https://www.host{number % 10}.example/a/b/page-{number}?id={number}") for number in range(1000)]


def test_identify_1000_lines(benchmark: BenchmarkFixture) -> None:
    keys = benchmark(lambda: [identify(line)[0] for line in LINES])
    assert len(set(keys)) == len(LINES)


def test_add_1000_keys_to_the_seen_set(benchmark: BenchmarkFixture) -> None:
    keys = [identify(line)[0] for line in LINES]

    def add_all() -> int:
        seen = SeenSet()
        return sum(seen.add(key) for key in keys)

    assert benchmark(add_all) == len(keys)


def test_take_and_finish_1000_jobs(benchmark: BenchmarkFixture, jobs: list[Job]) -> None:
    def pass_through() -> int:
        frontier = Frontier(lambda host: HostLimits(64, 0.0))
        for job in jobs:
            frontier.add(job, 0.0)
        taken = 0
        while (ready := frontier.take(0.0)) is not None:
            frontier.done(ready, 0.0)
            taken += 1
        return taken

    assert benchmark(pass_through) == len(jobs)
