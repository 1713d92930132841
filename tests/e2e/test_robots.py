"""robots.txt in a whole run: asked once, obeyed, and named in the failures where it forbids."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise

import pytest

PAGE = b"<!doctype html><title>A page</title>"
Answer = tuple[int, dict[str, str], bytes]


class Log:
    """The requests that came, and when."""

    def __init__(self) -> None:
        self.requests: list[tuple[float, str, dict[str, str]]] = []

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.requests]


@contextmanager
def serving(answer: Callable[[str], Answer], host: str = "127.0.0.1") -> Iterator[tuple[str, Log]]:
    """A server that answers robots.txt as told and every other path with a page."""
    log = Log()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            log.requests.append((time.monotonic(), self.path, dict(self.headers)))
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}", log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def robots(*lines: str) -> Callable[[str], Answer]:
    text = "\n".join(("User-agent: hybrid-scraper", *lines)).encode()
    return lambda path: (200, {}, text if path == "/robots.txt" else PAGE)


WIRES = pytest.mark.parametrize("wire", ["pyreqwest", "httpx"])


@WIRES
def test_robots_txt_is_asked_once_and_what_it_forbids_is_not_asked_at_all(cli, wire):
    with serving(robots("Disallow: /private/")) as (url, log):
        pages = [f"{url}/{number}" for number in range(20)]
        result = cli(
            "run", cli.write_list([*pages, f"{url}/private/a"]), "--set", f"fetch.transport={wire}", "--no-progress"
        )
    assert result.code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(pages)
    [failure] = cli.failures()
    assert (failure["url"], failure["error"], failure["attempts"]) == (f"{url}/private/a", "robots", 0)
    assert "Disallow: /private/" in failure["message"]
    assert log.paths.count("/robots.txt") == 1
    assert log.paths[0] == "/robots.txt"
    assert "/private/a" not in log.paths


def test_switched_off_it_is_not_asked(cli):
    with serving(robots("Disallow: /")) as (url, log):
        assert cli("run", f"{url}/x", "--set", "politeness.robots=false").code == 0
    assert log.paths == ["/x"]
    assert len(cli.rows()) == 1


def test_a_server_error_forbids_all_after_the_usual_retries(cli):
    with serving(lambda path: (503, {"Retry-After": "0"}, b"") if path == "/robots.txt" else (200, {}, PAGE)) as (
        url,
        log,
    ):
        settings = ("--set", "fetch.retries=1", "--set", "fetch.backoff=10ms")
        assert cli("run", cli.write_list([f"{url}/a", f"{url}/b"]), *settings).code == 0
    assert log.paths == ["/robots.txt", "/robots.txt"]
    assert [failure["error"] for failure in cli.failures()] == ["robots", "robots"]
    assert "HTTP 503" in cli.failures()[0]["message"]


def test_redirects_of_robots_txt_are_followed_and_those_of_pages_are_judged(cli):
    def answer(path: str) -> Answer:
        if path == "/robots.txt":
            return 302, {"Location": "/elsewhere.txt"}, b""
        if path == "/elsewhere.txt":
            return 200, {}, b"User-agent: *\nDisallow: /private"
        if path == "/moved":
            return 301, {"Location": "/private"}, b""
        return 200, {}, PAGE

    with serving(answer) as (url, log):
        assert cli("run", cli.write_list([f"{url}/open", f"{url}/moved"])).code == 0
    assert "/private" not in log.paths
    assert [row["url"] for row in cli.rows()] == [f"{url}/open"]
    [failure] = cli.failures()
    assert (failure["url"], failure["error"], failure["attempts"]) == (f"{url}/moved", "robots", 1)


@pytest.mark.parametrize(("redirects", "error"), [(5, ["robots"]), (6, [])])
def test_five_redirects_of_robots_txt_are_followed_and_a_sixth_means_that_there_is_none(cli, redirects, error):
    def answer(path: str) -> Answer:
        if path.startswith("/page"):
            return 200, {}, PAGE
        hop = 0 if path == "/robots.txt" else int(path[1:])
        if hop < redirects:
            return 302, {"Location": f"/{hop + 1}"}, b""
        return 200, {}, b"User-agent: *\nDisallow: /page"

    with serving(answer) as (url, _):
        assert cli("run", f"{url}/page").code == 0
    assert [failure["error"] for failure in cli.failures()] == error


def test_a_crawl_delay_is_kept_between_requests(cli):
    with serving(robots("Crawl-delay: 0.3")) as (url, log):
        assert cli("run", cli.write_list([f"{url}/{number}" for number in range(4)])).code == 0
    starts = [at for at, path, _ in log.requests if path != "/robots.txt"]
    assert len(starts) == 4
    assert min(later - sooner for sooner, later in pairwise(starts)) > 0.25


def test_a_crawl_delay_beyond_the_longest_wait_is_refused_in_words(cli):
    with serving(robots("Crawl-delay: 86400")) as (url, log):
        assert cli("run", f"{url}/x", "--set", "politeness.max_wait=30s").code == 0
    assert log.paths == ["/robots.txt"]
    [failure] = cli.failures()
    assert failure["error"] == "robots"
    assert "86400 s" in failure["message"]


def test_an_endless_robots_txt_is_read_to_its_limit(cli):
    text = b"User-agent: *\nDisallow: /private\n" + b"# and so on\n" * 100_000
    with serving(lambda path: (200, {}, text if path == "/robots.txt" else PAGE)) as (url, _):
        assert cli("run", cli.write_list([f"{url}/a", f"{url}/private"])).code == 0
    assert [row["url"] for row in cli.rows()] == [f"{url}/a"]
    assert [failure["error"] for failure in cli.failures()] == ["robots"]


def test_names_of_one_address_share_its_delay_where_asked(cli):
    with serving(lambda path: (200, {}, PAGE) if path != "/robots.txt" else (404, {}, b"")) as (url, log):
        port = url.rpartition(":")[2]
        hosts = [f"http://{name}.localhost:{port}/x" for name in "abc"]
        settings = ("politeness.by=address", "politeness.delay=250ms", "politeness.robots=false")
        arguments = [part for setting in settings for part in ("--set", setting)]
        assert cli("run", cli.write_list(hosts), *arguments).code == 0
    assert len(cli.rows()) == 3
    starts = [at for at, _, _ in log.requests]
    assert min(later - sooner for sooner, later in pairwise(starts)) > 0.2


def test_a_dead_host_is_named_as_such(cli):
    with serving(robots()) as (url, _):
        pass
    assert cli("run", f"{url}/x", "--set", "fetch.retries=0").code == 0
    assert [(failure["error"], failure["attempts"]) for failure in cli.failures()] == [("connect", 1)]


def test_headers_meant_for_one_origin_reach_no_other_origins_robots_txt(cli):
    with serving(robots()) as (other, seen):

        def leads_there(path: str) -> Answer:
            return (404, {}, b"") if path == "/robots.txt" else (302, {"Location": f"{other}/x"}, b"")

        with serving(leads_there) as (url, own):
            (cli.folder / "c.toml").write_text('[fetch.headers]\nX-Secret = "geheim"\n')
            assert cli("run", f"{url}/a", "-c", "c.toml").code == 0
    assert {headers.get("X-Secret") for _, _, headers in own.requests} == {"geheim"}
    assert {headers.get("X-Secret") for _, _, headers in seen.requests} == {None}
    assert seen.paths == ["/robots.txt", "/x"]
