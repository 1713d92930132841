"""Coded and close-delimited bodies through whole runs: the same rows in every coding, and no part of a page in any."""

import csv
import gzip
import socketserver
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import brotli
import pytest

import scraper

zstd = pytest.importorskip("backports.zstd", reason="on Python 3.14 and later it is compression.zstd")

PAGE = b"<title>Coded</title><h1>the same in every coding</h1>" + b"<p>and rather long</p>" * 3000
MAX_BODY = len(PAGE)

BODIES = {
    "/plain": ("", PAGE),
    "/gzip": ("gzip", gzip.compress(PAGE)),
    "/members": ("gzip", gzip.compress(PAGE[:40]) + gzip.compress(PAGE[40:])),
    "/deflate": ("deflate", zlib.compress(PAGE)),
    "/br": ("br", brotli.compress(PAGE, quality=4)),
    "/zstd": ("zstd", zstd.compress(PAGE)),
    "/chain": ("gzip, br", brotli.compress(gzip.compress(PAGE), quality=4)),
    "/closed": ("gzip", gzip.compress(PAGE)),
    "/cut-twice": ("br", brotli.compress(PAGE, quality=4)),
    "/cut": ("gzip", gzip.compress(PAGE)[:-1]),
    "/no-gzip": ("gzip", PAGE),
    "/bomb": ("br", brotli.compress(PAGE + b" ", quality=4)),
    "/unknown": ("snappy", PAGE),
}
FAILING = {"/cut": "truncated", "/no-gzip": "decode", "/bomb": "too_large", "/unknown": "decode"}


class Handler(socketserver.StreamRequestHandler):
    asked: ClassVar[Counter[str]] = Counter()

    def handle(self) -> None:
        path = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        self.asked[path] += 1
        coding, body = BODIES.get(path, ("", b""))
        if path == "/cut-twice" and self.asked[path] < 3:
            body = body[:-1]
        status = "200 OK" if path in BODIES else "404 Not Found"
        head = [f"HTTP/1.1 {status}", "Content-Type: text/html"]
        head += [f"Content-Encoding: {coding}"] if coding else []
        head += [] if path == "/closed" else [f"Content-Length: {len(body)}", "Connection: close"]
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked.clear()
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture(params=["pyreqwest", "httpx"])
def options(request) -> list[str]:
    settings = {
        "fetch.transport": request.param,
        "fetch.max_body": str(MAX_BODY),
        "fetch.retries": "2",
        "fetch.backoff": "10ms",
        "fields.title": "title",
        "fields.h1": "h1",
    }
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


def test_every_coding_gives_the_same_row_or_a_failure_of_its_kind(cli, server, options):
    assert cli("run", cli.write_list([server + path for path in BODIES]), "--no-progress", *options).code == 0
    rows = {row["url"].removeprefix(server): row for row in cli.rows()}
    assert set(rows) == set(BODIES) - set(FAILING)
    assert {(row["title"], row["h1"]) for row in rows.values()} == {("Coded", "the same in every coding")}
    assert [path for path, row in rows.items() if "close_delimited" in row] == ["/closed"]
    assert list(rows["/closed"]) == ["url", "final_url", "status", "fetched_at", "close_delimited", "title", "h1"]
    failures = {failure["url"].removeprefix(server): failure for failure in cli.failures()}
    assert {path: failure["error"] for path, failure in failures.items()} == FAILING
    assert {path: failure["attempts"] for path, failure in failures.items()} == {**dict.fromkeys(FAILING, 1), "/cut": 3}
    assert {failure["status"] for failure in failures.values()} == {200}
    assert Handler.asked["/cut-twice"] == 3


def test_kept_bodies_are_plain_and_a_body_that_is_not_whole_is_not_kept(cli, server, options):
    source = cli.write_list([server + path for path in BODIES])
    assert cli("run", source, "--no-progress", *options, "--set", "fetch.keep_bodies=true").code == 0
    assert {failure["url"].removeprefix(server): failure["error"] for failure in cli.failures()} == FAILING
    (file,) = (cli.folder / "output" / "bodies").iterdir()
    assert file.read_bytes() == PAGE
    assert {row["body_file"] for row in cli.rows()} == {f"bodies/{file.name}"}


def test_csv_has_a_column_for_the_mark_behind_the_rows_own(cli, server, options):
    urls = [server + path for path in ("/plain", "/closed")]
    assert cli("run", *urls, "--no-progress", *options, "--set", "write.format=csv").code == 0
    with (cli.folder / "output" / "pages.csv").open(newline="") as file:
        rows = {row["url"].removeprefix(server): row for row in csv.DictReader(file)}
    assert list(rows["/plain"])[:5] == ["url", "final_url", "status", "fetched_at", "close_delimited"]
    assert {path: row["close_delimited"] for path, row in rows.items()} == {"/plain": "", "/closed": "true"}


async def test_rows_of_the_python_api_are_the_same(server):
    rows = {}
    failures = {}
    config = scraper.Config.model_validate({"fetch": {"max_body": MAX_BODY, "retries": 2, "backoff": 0.01}})
    urls = [server + path for path in BODIES]
    async for row in scraper.scrape(
        urls, {"h1": "h1"}, config=config, on_failure=lambda failure: failures.update({failure.url: failure.error})
    ):
        rows[row["url"].removeprefix(server)] = row
    assert {path: row["h1"] for path, row in rows.items()} == dict.fromkeys(
        set(BODIES) - set(FAILING), "the same in every coding"
    )
    assert [path for path, row in rows.items() if row.get("close_delimited")] == ["/closed"]
    assert {url.removeprefix(server): kind for url, kind in failures.items()} == FAILING


def test_inspect_shows_a_coded_page_and_how_it_came(cli, server):
    result = cli("inspect", server + "/chain", "--set", "fields.h1=h1")
    assert result.code == 0
    assert "bytes of gzip, br" in result.out
    assert "the same in every coding" in result.out
    result = cli("inspect", server + "/cut")
    assert result.code == 1
    assert "no row: truncated: the gzip body ended before its end mark" in result.err
