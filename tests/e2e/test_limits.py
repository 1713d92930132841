"""What limits a run: each bottleneck is built, on the practice site where it can be, and is the one that is named.

Shares of time are compared with each other and never with a clock: a machine that has other work to do makes all of
them longer. What an advice gains depends on what it has to spare, so only its setting is asked for.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scraper.cli.live import scrape_with_progress
from scraper.cli.run import summary_lines
from scraper.config import load_config
from scraper.outputs import Outputs
from scraper.session import Request
from scraper.site.options import SiteOptions
from tests.conftest import Site, start_site

HANDLERS = str(Path(__file__).parent / "handlers")

Limits = Callable[..., str]


@contextmanager
def site_of(**options: Any) -> Iterator[Site]:
    yield from start_site(SiteOptions(**options))


@pytest.fixture(scope="module")
def slow_site() -> Iterator[Site]:
    with site_of(pages=100, latency_s=0.1) as site:
        yield site


@pytest.fixture
def limit_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Limits:
    """The line about the limit in the summary of a run, in this process so that a slow disk can be put under it."""
    monkeypatch.syspath_prepend(HANDLERS)
    monkeypatch.setenv("PYTHONPATH", HANDLERS)

    def scrape(urls: Sequence[str], *settings: str) -> str:
        (tmp_path / "urls.txt").write_text("".join(f"{url}\n" for url in urls))
        config = load_config(None, ["politeness.robots=false", 'fields.title="title"', *settings])
        request = Request([str(tmp_path / "urls.txt")], tmp_path / "output")
        lines = summary_lines(scrape_with_progress(config, request, progress=False))
        (line,) = [line for line in lines if line.startswith("  limit ")]
        return line.removeprefix("  limit").strip()

    return scrape


def wait_for(file: Path) -> None:
    until = time.monotonic() + 20
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.01)


def test_server_latency(limit_of, slow_site):
    line = limit_of(slow_site.urls[:30], "fetch.concurrency=2")
    assert re.match(r"server latency, \d+ % of the time: 1\d\dms a request: raise fetch.concurrency from 2 to \d", line)


def test_fetch_cpu(limit_of, site):
    """httpx's own wire takes some 3 ms a page of the loop's core where 64 connections are open."""
    assert limit_of(site.urls[:150], "fetch.transport=httpx").startswith("fetch CPU, ")


@pytest.mark.parametrize("model", ["hybrid", "asyncio"])
def test_parse_cpu(limit_of, site, model):
    settings = f"run.model={model}", "parse.processes=1", "parse.function=burning:burn"
    assert limit_of(site.urls[:60], *settings).startswith("parsing, ")


def test_writer(limit_of, site, monkeypatch):
    write = Outputs.write

    def slow(outputs: Outputs, entries: Any) -> None:
        time.sleep(0.01 * len(entries))
        write(outputs, entries)

    monkeypatch.setattr(Outputs, "write", slow)
    assert limit_of(site.urls[:150]).startswith("writing, ")


def test_disk(limit_of, monkeypatch):
    """Rows as large as their pages fill the memory while the disk takes its time."""
    fsync = os.fsync

    def slow(fd: int) -> None:
        time.sleep(0.35)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slow)
    settings = "write.format=warc", "run.memory=1536KiB", "fetch.max_body=256KiB", "fetch.concurrency=4"
    with site_of(pages=24, size_bytes=150_000) as site:
        assert limit_of(site.urls, *settings).startswith("the disk, ")


class Halves(BaseHTTPRequestHandler):
    """Sends the second half of each page 0.3 s after the first: who reads it holds memory for so long, and no core."""

    PAGE = b"<title>large</title>" + b" " * 300_000

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.PAGE)))
        self.end_headers()
        half = len(self.PAGE) // 2
        self.wfile.write(self.PAGE[:half])
        time.sleep(0.3)
        self.wfile.write(self.PAGE[half:])

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 64
    """With five, as is the default, some connections are tried again after a second."""


def test_memory(limit_of):
    settings = "run.memory=1MiB", "fetch.max_body=512KiB", "fetch.concurrency=24"
    with Server(("127.0.0.1", 0), Halves) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        line = limit_of([f"http://127.0.0.1:{server.server_port}/{number}" for number in range(40)], *settings)
        server.shutdown()
    assert re.match(r"run.memory, \d+ % of the time: bodies wait for bytes: raise run.memory from 1MiB to \d+MiB", line)


def test_delay(limit_of, site):
    line = limit_of(site.urls[:28], "politeness.delay=50ms")
    assert line.startswith("politeness, ")
    assert "127.0.0.1: 20 requests/s: lower politeness.delay from 50ms to 25ms" in line


def test_one_request_at_a_time_of_a_host(limit_of, slow_site):
    line = limit_of(slow_site.urls[:14], "politeness.per_host=1")
    assert line.startswith("politeness, ")
    assert "127.0.0.1: raise politeness.per_host from 1 to 2" in line


def test_host_that_asks_to_be_left_alone(limit_of):
    with site_of(pages=20, rate_limited=1.0) as site:
        line = limit_of(site.urls[:2], "politeness.per_host=1")
    assert line.startswith("politeness, ")
    assert "127.0.0.1: " in line
    assert "raise" not in line


def test_last_urls(limit_of):
    with site_of(pages=40, slow=0.1, slow_s=1.5) as site:
        assert limit_of(site.urls).startswith("the last URLs, ")


def test_list_that_comes_slowly(cli, site):
    with cli.start("run", "-", "--json", "--no-progress", "--set", "politeness.robots=false", stdin=-1) as process:
        for url in site.urls[:24]:
            process.stdin.write(f"{url}\n".encode())
            process.stdin.flush()
            wait_for(cli.folder / "output" / "pages.jsonl")  # what comes while the program starts comes at once to it
            time.sleep(0.06)
        _, told = process.communicate(timeout=30)
    assert "limit    reading the list, " in told.decode()
