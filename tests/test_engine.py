"""What an engine tells of the jobs that are not in flight."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from scraper.engine import LocalEngine
from scraper.fetch.retry import RetryPolicy
from scraper.models.whole import NoParser
from scraper.parts import EngineParts
from scraper.records import SourceLine, Target
from scraper.urls.canonical import target_from
from scraper.urls.lanes import Lanes
from scraper.urls.pace import HostLimits
from scraper.urls.permits import Permits


class Silent:
    """A fetcher that never answers, and an outlet that hears nothing."""

    busy_s = 0.0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return None

    async def fetch(self, job, reservation):
        await asyncio.Event().wait()

    async def addresses_of(self, host):
        await asyncio.Event().wait()

    def moved(self) -> None:
        pass

    failed = parsed = unchanged = short_of_memory = moved


def target(url: str) -> Target:
    found = target_from(SourceLine(url))
    assert isinstance(found, Target)
    return found


@asynccontextmanager
async def engine_with(*urls: str, **changes):
    """An engine that has taken up these URLs, once all its loops have a job or wait for one."""
    silent = Silent()
    parts = EngineParts(
        fetcher=silent,
        open_parser=lambda on_parsed: NoParser(silent),
        retries=RetryPolicy(0),
        host_limits=lambda host: HostLimits(1, 0.0),
        concurrency=2,
        window=100,
        memory=1 << 20,
        max_redirects=3,
    )
    async with LocalEngine(replace(parts, **changes), silent) as engine:
        for url in urls:
            engine.enter(target(url))
        for _ in range(5):
            await asyncio.sleep(0)
        yield engine
        engine.close()


A = [f"http://a.example/{number}" for number in range(4)]


async def test_host_with_all_its_requests_in_flight():
    async with engine_with(*A) as engine:
        told = engine.waits()
    assert (told.host, told.why, told.jobs, told.ready) == ("a.example", "per_host", 3, 0)


async def test_more_jobs_than_slots():
    async with engine_with(*A, host_limits=lambda host: HostLimits(8, 0.0)) as engine:
        told = engine.waits()
    assert (told.why, told.ready) == (None, 2)


async def test_robots_txt_that_is_on_its_way():
    async with engine_with(*A, "http://b.example/", permits=Permits(frozenset({"ourbot"}), 60.0)) as engine:
        told = engine.waits()
    assert (told.host, told.why, told.jobs) == ("http://a.example", "robots", 4)


async def test_address_that_is_looked_up():
    async with engine_with(*A, lanes=Lanes()) as engine:
        told = engine.waits()
    assert (told.host, told.why, told.jobs) == ("", "lookup", 4)
