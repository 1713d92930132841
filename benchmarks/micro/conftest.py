"""Pages and jobs for the micro-benchmarks."""

import pytest

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
