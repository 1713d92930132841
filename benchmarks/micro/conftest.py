"""Pages and jobs for the micro-benchmarks, and the table of those that count the CPU of two processes."""

import pytest

from benchmarks.table import markdown_table, spread
from scraper.records import Job, Page, SourceLine, Target
from scraper.site.answers import Site
from scraper.site.options import SiteOptions
from scraper.urls.canonical import target_from

BASE = "http://127.0.0.1:8000"
PAGE_BYTES = 34_000


@pytest.fixture(scope="session")
def page() -> Page:
    """An article of the practice site, of the size of the main scenario's pages."""
    site = Site(SiteOptions(size_bytes=PAGE_BYTES))
    body = site.answer(site.plan("/news/1"), "/news/1", "", BASE).body
    assert isinstance(body, bytes)
    return Page(f"{BASE}/news/1", f"{BASE}/news/1", 200, "text/html; charset=utf-8", body, 0.0)


@pytest.fixture(scope="session")
def jobs() -> list[Job]:
    """A thousand jobs of ten hosts."""
    lines = (SourceLine(f"http://host{number % 10}.example/page/{number}") for number in range(1000))
    targets = [found for found in map(target_from, lines) if isinstance(found, Target)]
    return [Job(target, target.href, target.host) for target in targets]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What test_handoff.py recorded, as a table; pytest-benchmark knows wall time only."""
    properties = [pair for report in terminalreporter.getreports("passed") for pair in report.user_properties]
    measured = [value for name, value in properties if name == "handoff"]
    if measured:
        head = ("way", "KB", "wall", "CPU of the sender", "of the receiver", "of both")
        terminalreporter.section("hand-off, microseconds a page, median (least-most)")
        terminalreporter.write_line(markdown_table(head, [handoff_row(*values) for values in measured]))


def handoff_row(way: str, body_bytes: int, turns: list[tuple[float, float, float]]) -> list[str]:
    """A line of the table, from the microseconds a page of each turn: of the clock, of CPU here, of CPU there."""
    walls, ours, theirs = (list(column) for column in zip(*turns, strict=True))
    both = [here + there for _, here, there in turns]
    return [way, f"{body_bytes / 1000:.0f}", *(spread(values, 0) for values in (walls, ours, theirs, both))]
