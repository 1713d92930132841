"""The Python API: rows with Python types, failures told, nothing left behind."""

import logging
import os
import time
from contextlib import aclosing, closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import scraper
from scraper.errors import ConfigError
from scraper.site.options import SiteOptions
from scraper.site.server import running_site

FIELDS = {"name": "h1", "price": {"css": ".product .price", "type": "decimal"}}


def children() -> set[str]:
    pid = os.getpid()
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


async def test_scrape_gives_a_row_for_each_page_with_python_types(site):
    rows = [row async for row in scraper.scrape(site.urls[:20], fields=FIELDS)]
    assert sorted(row["url"] for row in rows) == sorted(site.urls[:20])
    products = [row for row in rows if "/shop/" in row["url"]]
    assert all(isinstance(row["price"], Decimal) for row in products)
    assert list(rows[0]) == ["url", "final_url", "status", "fetched_at", "name", "price"]


def test_scrape_sync_gives_the_same(site):
    rows = list(scraper.scrape_sync(iter(site.urls[:20]), fields=FIELDS))
    assert sorted(row["url"] for row in rows) == sorted(site.urls[:20])


async def test_failures_go_to_the_callback(site):
    failures = []
    urls = [site.urls[0], "nonsense", site.url + "/none"]
    rows = [row async for row in scraper.scrape(urls, on_failure=failures.append)]
    assert len(rows) == 1
    assert {(failure.error, failure.line) for failure in failures} == {("invalid_url", 2), ("http_status", 3)}
    assert all(isinstance(failure, scraper.Failure) for failure in failures)


async def test_failures_are_logged_without_a_callback(site, caplog):
    with caplog.at_level(logging.WARNING, "scraper"):
        assert [row async for row in scraper.scrape(["nonsense"])] == []
    assert "nonsense: invalid_url" in caplog.text


async def test_leaving_early_ends_the_workers(site):
    before = children()
    async with aclosing(scraper.scrape(site.urls)) as rows:
        async for _ in rows:
            break
    assert children() == before


def test_leaving_the_synchronous_form_early_ends_the_workers(site):
    before = children()
    with closing(scraper.scrape_sync(site.urls)) as rows:
        next(rows)
    assert children() == before


def test_leaving_while_a_server_is_slow_takes_no_time():
    with running_site(SiteOptions(pages=10, slow=1.0, slow_s=30.0)) as slow:
        rows = scraper.scrape_sync([f"{slow.url}/", *(slow.url + path for path in slow.paths)])
        next(rows)
        started = time.monotonic()
        rows.close()
    assert time.monotonic() - started < 5


def test_caller_who_takes_no_row_stops_the_fetching():
    """Rows that nobody takes hold bytes of run.memory."""
    config = scraper.Config.model_validate({"run": {"memory": "1MiB"}, "fetch": {"max_body": "1MiB"}})
    with running_site(SiteOptions(pages=900)) as quick:
        rows = scraper.scrape_sync((quick.url + path for path in quick.paths), {"text": "body"}, config=config)
        first = next(rows)
        time.sleep(1.5)
        woke = datetime.now(UTC).isoformat()
        others = list(rows)
    in_time = [row for row in [first, *others] if row["fetched_at"] < woke]
    assert len(others) == 899
    assert 10 < len(in_time) < 700


def test_tiny_budget_is_no_deadlock(site):
    config = scraper.Config.model_validate({"run": {"memory": "1MiB"}, "fetch": {"max_body": "1MiB"}})
    rows = scraper.scrape_sync(site.urls, config=config)
    assert len(list(rows)) == len(site.urls)


@pytest.mark.parametrize("start", [scraper.scrape, scraper.scrape_sync])
def test_bad_field_is_refused_at_once(start):
    with pytest.raises(ConfigError, match=r"fields\.name"):
        start(["http://127.0.0.1:9/"], fields={"name": "h1[["})


@pytest.mark.parametrize("urls", ["http://127.0.0.1:9/", b"http://127.0.0.1:9/"])
def test_one_text_is_not_a_list_of_urls(urls):
    with pytest.raises(TypeError, match="put it into a list"):
        scraper.scrape(urls)


async def test_what_the_callers_own_iterable_raises_reaches_the_caller(site):
    def broken():
        yield site.urls[0]
        raise ValueError("my own")

    with pytest.raises(ValueError, match="my own"):
        async for _ in scraper.scrape(broken()):
            pass
    with pytest.raises(TypeError, match="as number 1"):
        async for _ in scraper.scrape([None]):
            pass


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError):
        _ = scraper.scarpe
