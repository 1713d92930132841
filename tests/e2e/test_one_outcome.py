"""Every line of a list ends in exactly one outcome: 251 real pages with one URL of each bad kind among them."""

import gzip
import json
import re
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

SHARED = Path(__file__).parents[2].parent / "shared" / "pages"
MADE_PAGES = [b"<title>Page %d</title><h1>made for the test</h1>" % number for number in range(20)]
MAX_BODY = 8 * 1024 * 1024

RAW = {
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<h1>half",
    "/robots.txt": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "/garbage": b"\0\1\2 this is no HTTP\r\n\r\n",
}
"""What a server that keeps to no rule answers; to another path it never answers."""


class RawHandler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        path = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        if path in RAW:
            self.wfile.write(RAW[path])
        else:
            self.rfile.read()  # until the other side gives up


class RawServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture(scope="module")
def raw() -> Iterator[str]:
    with RawServer(("127.0.0.1", 0), RawHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    """A port that nobody listens on and nobody else gets in the meantime."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def real_pages() -> list[bytes]:
    manifest = (SHARED / "manifest.jsonl").read_text().splitlines()
    return [gzip.decompress((SHARED / json.loads(line)["file"]).read_bytes()) for line in manifest]


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    """Answers in threads, and badly in each way that is still HTTP."""
    with HTTPServer(threaded=True) as server:
        other = server.url_for("/").replace("127.0.0.1", "127.0.0.2").replace("localhost", "127.0.0.2")
        html = "text/html"
        answers = {
            "/robots.txt": Response("none", 404),
            "/missing": Response("none", 404),
            "/image": Response(b"\x89PNG\r\n\x1a\n", content_type="image/png"),
            "/large": Response(b"<p>" + b"x" * MAX_BODY, content_type=html),
            "/coded": Response(b"this is no gzip", content_type=html, headers={"Content-Encoding": "gzip"}),
            "/loop": Response(status=302, headers={"Location": "/loop"}),
            "/to-ftp": Response(status=302, headers={"Location": "ftp://a.example/"}),
            "/to-another": Response(status=302, headers={"Location": other}),
        }
        for path, answer in answers.items():
            server.expect_request(path).respond_with_response(answer)
        yield server


BAD = {
    "invalid_url": "no url at all",
    "unsupported_scheme": "ftp://a.example/file",
    "dns": "http://a-label-that-is-too-long-to-be-looked-up-" + "x" * 70 + ".invalid/",
    "connect": "http://127.0.0.1:{closed}/",
    "tls": "https://{host}/",
    "timeout": "{raw}/silence",
    "protocol": "{raw}/garbage",
    "truncated": "{raw}/cut",
    "too_large": "{http}/large",
    "decode": "{http}/coded",
    "too_many_redirects": "{http}/loop",
    "bad_redirect": "{http}/to-ftp",
    "blocked_address": "{http}/to-another",
    "http_status": "{http}/missing",
    "not_html": "{http}/image",
}
"""Kind of failure -> the line that ends so."""


def fill_in(server: HTTPServer, raw: str, closed_port: int) -> dict[str, str]:
    host = f"127.0.0.1:{server.port}"
    return {
        kind: url.format(http=f"http://{host}", host=host, raw=raw, closed=closed_port) for kind, url in BAD.items()
    }


def serve_pages(server: HTTPServer, name: str, pages: list[bytes]) -> list[str]:
    """Their URLs; a name stands for the same pages in every test."""

    def answer(request: Request) -> Response:
        return Response(pages[int(request.path.rpartition("/")[2])], content_type="text/html")

    server.expect_request(re.compile(rf"/{name}/\d+")).respond_with_handler(answer)
    return [f"http://127.0.0.1:{server.port}/{name}/{number}" for number in range(len(pages))]


def mixed(good: list[str], bad: list[str]) -> list[str]:
    """The bad ones spread evenly among the good ones."""
    step = max(1, len(good) // len(bad))
    lines = list(good)
    for at, url in reversed(list(enumerate(bad))):
        lines.insert(at * step, url)
    return lines


@pytest.mark.parametrize(
    ("name", "make_pages"),
    [
        pytest.param("made", lambda: MADE_PAGES, id="made pages"),
        pytest.param(
            "real",
            real_pages,
            id="real pages",
            marks=pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real pages is not on this machine"),
        ),
    ],
)
@pytest.mark.parametrize("wire", ["pyreqwest", "httpx"])
def test_every_line_ends_in_one_outcome_and_each_bad_kind_under_its_name(
    cli, server, raw, closed_port, name, make_pages, wire
):
    good, bad = serve_pages(server, name, make_pages()), fill_in(server, raw, closed_port)
    lines = mixed(good, list(bad.values()))
    result = cli(
        "run", cli.write_list(lines), "--no-progress", "--set", f"fetch.transport={wire}",
        "--set", "fetch.retries=0", "--set", "fetch.timeout=3s", "--set", f"fetch.max_body={MAX_BODY}",
        "--set", "fetch.max_redirects=3", "--set", "network.private_addresses=listed",
    )  # fmt: skip
    assert result.code == 0
    rows, failures = cli.rows(), cli.failures()
    assert {failure["line"]: failure["error"] for failure in failures} == {
        lines.index(url) + 1: kind for kind, url in bad.items()
    }
    assert Counter(row["url"] for row in rows) == Counter(good)
    assert all(failure["message"] and failure["url"] == lines[failure["line"] - 1] for failure in failures)
    summary = cli.summary()
    assert (summary["input"], summary["ok"], summary["failed"]) == (len(lines), len(good), len(bad))


FUNCTION = """
import os, time

def extract(page, tree):
    number = int(page.url.rpartition("/")[2])
    if number == 1: os.abort()
    if number == 2: time.sleep(60)
    if number == 3: return {"much": len(bytearray(2 << 30))}
    if number == 4: raise ValueError("not this one")
    return {"number": number}
"""


def test_page_that_harms_its_worker_fails_alone(cli, server):
    good = serve_pages(server, "made", MADE_PAGES)
    (cli.folder / "harmful.py").write_text(FUNCTION)
    result = cli(
        "run", cli.write_list(good), "--no-progress", "--set", "parse.function=harmful:extract",
        "--set", "parse.timeout=1s", "--set", "parse.max_memory=512MiB", "--set", "parse.processes=2",
    )  # fmt: skip
    assert result.code == 0
    kinds = {failure["line"] - 1: failure["error"] for failure in cli.failures()}
    assert kinds == {1: "parse_crash", 2: "parse_timeout", 3: "parse_memory", 4: "parse_crash"}
    assert sorted(row["number"] for row in cli.rows()) == [0, *range(5, len(good))]


def test_page_without_a_required_field_fails_alone(cli, server):
    good = serve_pages(server, "fields", [*MADE_PAGES[:3], b"<p>without a heading</p>"])
    result = cli("run", *good, "--set", 'fields.head={css="h1",required=true}')
    assert result.code == 0
    assert [(failure["url"], failure["error"]) for failure in cli.failures()] == [(good[3], "required_field")]
    assert len(cli.rows()) == 3
