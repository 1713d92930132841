"""Pages recorded once, and served again from this machine as they came."""

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from scraper import loop
from scraper.config import Config, load_config
from scraper.errors import ScraperError, UsageError, WriteError
from scraper.fetch.requests import GetRequest
from scraper.measure.pages import listed, local_pages, replay_settings, replayed_pages, write_list
from scraper.measure.replay.recorder import recording_of
from scraper.measure.replay.recording import VERSION, About, Answer, Asked, Recording, Tape, digest_of, open_recording
from scraper.measure.replay.served import Replay, head_of, moved, running_replay
from scraper.measure.replay.taping import TapingWire
from scraper.session import Outcome, Request, run_session
from scraper.site.options import SiteOptions
from tests.conftest import Site, start_site

PLACES = {"http://a.example": "http://127.64.0.1:81", "https://a.example": "http://127.64.0.1:82"}
HTML = [("Content-Type", "text/html")]
ABOUT = About(VERSION, "2026-11-22T23:05:23Z", "digest", [], {})


def scrape(config: Config, request: Request) -> Outcome:
    return loop.run(run_session(config, request, lambda _: None))


# -- heads, addresses -------------------------------------------------------------------------------------------------


def head(status: int, *headers: tuple[str, str]) -> str:
    made = head_of(Answer("https://a.example/x/y", status, [*headers], 0.0, 0.0, 0, 7), PLACES)
    assert made is not None
    return made.decode()


def test_head_is_sent_as_it_came_with_a_length_of_its_own() -> None:
    assert head(200, *HTML, ("ETag", '"a"')) == (
        'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: "a"\r\ncontent-length: 7\r\n\r\n'
    )


@pytest.mark.parametrize(
    "header",
    [
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "12"),
        ("Connection", "close"),
        ("Alt-Svc", 'h3=":443"'),
        ("Strict-Transport-Security", "max-age=1"),
    ],
    ids=lambda header: str(header[0]),
)
def test_headers_of_the_connection_stay_behind(header: tuple[str, str]) -> None:
    assert head(200, header) == head(200)


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("http://a.example/z?q", "http://127.64.0.1:81/z?q"),
        ("https://a.example/", "http://127.64.0.1:82/"),
        ("z", "http://127.64.0.1:82/x/z"),
        ("//a.example/z", "http://127.64.0.1:82/z"),
    ],
)
def test_redirects_lead_to_where_it_is_served(location: str, there: str) -> None:
    assert f"Location: {there}\r\n" in head(302, ("Location", location))


@pytest.mark.parametrize("location", ["https://b.example/", "http://a.example:8080/", "ftp://a.example/", "http://["])
def test_nobody_is_sent_to_what_was_not_recorded(location: str) -> None:
    answer = Answer("https://a.example/", 302, [("Location", location)], 0.0, 0.0, 0, 0)
    assert head_of(answer, PLACES) is None


def test_cookies_lose_what_a_loopback_address_cannot_have() -> None:
    assert "Set-Cookie: a=b; Path=/; HttpOnly\r\n" in head(
        200, ("Set-Cookie", "a=b; Domain=.a.example; Path=/; Secure; HttpOnly")
    )


def test_url_of_another_origin_has_no_place() -> None:
    assert moved("https://a.example/x?y=1", PLACES) == "http://127.64.0.1:82/x?y=1"
    assert moved("https://a.example:444/", PLACES) is None


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    with Tape(tmp_path / "replay") as tape:
        tape.add("http://a.example/", 200, HTML, 0.0123, 0.001, b"one")
        tape.add("http://a.example/2", 200, [], 0.02, 0.0, b"two!")
        tape.finish(ABOUT)
    found = open_recording(tmp_path / "replay")
    assert found is not None
    first, second = found.answers()
    assert (first.head_s, first.headers, first.offset, first.size) == (0.0123, HTML, 0, 3)
    assert found.bodies.read_bytes()[second.offset :] == b"two!"
    assert found.about == ABOUT


def test_nothing_stays_of_a_recording_that_was_not_finished(tmp_path: Path) -> None:
    with Tape(tmp_path / "replay") as tape:
        tape.finish(ABOUT)
    with Tape(tmp_path / "replay") as tape:
        tape.add("http://a.example/", 200, [], 0.0, 0.0, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["replay"]
    assert (tmp_path / "replay" / "bodies").read_bytes() == b"", "the one before is gone"


def test_disk_that_is_full_is_told_at_the_end(tmp_path: Path) -> None:
    with Tape(tmp_path / "replay") as tape:
        tape._bodies.close()
        tape._bodies = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - the tape closes it
        tape.add("http://a.example/", 200, [], 0.0, 0.0, b"x")
        with pytest.raises(WriteError, match="No space left"):
            tape.finish(ABOUT)
    assert not (tmp_path / "replay").exists()


@pytest.mark.parametrize("text", ["", "{", '{"version": 1}'], ids=["empty", "cut", "less"])
def test_damaged_recording_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(ScraperError, match="--record"):
        open_recording(tmp_path)


class Wire(httpx.AsyncBaseTransport):
    """Answers everything alike."""

    def __init__(self, status: int, pieces: Sequence[bytes], error: Exception | None = None) -> None:
        self._status, self._pieces, self._error = status, pieces, error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._status, headers={"X-A": "b"}, stream=Pieces(self._pieces, self._error))


class Pieces(httpx.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes], error: Exception | None) -> None:
        self._pieces, self._error = pieces, error

    async def __aiter__(self):
        for piece in self._pieces:
            yield piece
        if self._error:
            raise self._error


@pytest.mark.parametrize(
    ("status", "path", "reads", "kept"),
    [
        (200, "/page", 3, b"abc"),
        (200, "/page", 1, None),
        (302, "/page", 0, b""),
        (200, "/robots.txt", 1, b"a"),
        (404, "/page", 3, b"abc"),
    ],
    ids=["whole", "cut", "redirect", "robots", "error page"],
)
async def test_tape_keeps_answers_that_were_read(
    tmp_path: Path, status: int, path: str, reads: int, kept: bytes | None
) -> None:
    with Tape(tmp_path / "replay") as tape:
        wire = TapingWire(Wire(status, [b"a", b"b", b"c"]), tape)
        request = GetRequest(f"http://192.0.2.1{path}", httpx.Headers({"host": "a.example"}), {})
        response = await wire.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        body = aiter(response.stream)
        pieces = [await anext(body, b"") for _ in range(reads + (reads == 3))]
        await response.aclose()
        recording = tape.finish(ABOUT)
        assert b"".join(pieces) == b"abc"[:reads], "the reader got something else"
        answers = [(answer.url, answer.size) for answer in recording.answers()]
    assert answers == ([] if kept is None else [(f"http://a.example{path}", len(kept))])


async def test_answer_that_broke_off_is_not_kept(tmp_path: Path) -> None:
    with Tape(tmp_path / "replay") as tape:
        wire = TapingWire(Wire(200, [b"a"], httpx.ReadError("reset")), tape)
        response = await wire.handle_async_request(GetRequest("http://a.example/", httpx.Headers(), {}))
        with pytest.raises(httpx.ReadError):
            await response.aread()
        assert not list(tape.finish(ABOUT).answers())


# -- what is served ---------------------------------------------------------------------------------------------------


def has_address(address: str) -> bool:
    try:
        socket.create_server((address, 0)).close()
    except OSError:
        return False
    return True


needs_loopback = pytest.mark.skipif(not has_address("127.64.0.1"), reason="only 127.0.0.1 is an address here")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    with Tape(tmp_path_factory.mktemp("made") / "replay") as tape:
        tape.add("http://a.example/", 301, [("Location", "https://a.example/x?y")], 0.0, 0.0, b"")
        tape.add("https://a.example/x?y", 503, HTML, 0.0, 0.0, b"later")
        tape.add("https://a.example/x?y", 200, HTML, 0.15, 0.15, b"<p>" * 1000)
        tape.add("http://b.example/", 200, HTML, 0.0, 0.0, b"b")
        asked = [Asked("http://a.example/"), Asked("http://b.example/", {"shop": "b"})]
        return tape.finish(About(VERSION, "2026-11-22T23:05:23Z", "digest", asked, {"dns": 2}))


@pytest.fixture(scope="module")
def replay(recording: Recording) -> Iterator[Replay]:
    with running_replay(recording) as running:
        yield running


def get(url: str) -> tuple[int, bytes, float, float]:
    """Status, body, and the seconds until the head and until the end."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    started = time.monotonic()
    connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
    response = connection.getresponse()
    head_s = time.monotonic() - started
    body = response.read()
    whole_s = time.monotonic() - started
    connection.close()
    return response.status, body, head_s, whole_s


@needs_loopback
def test_page_comes_as_late_as_it_came_head_and_body(replay: Replay) -> None:
    status, body, head_s, whole_s = get(str(replay.url_of("https://a.example/x?y")))
    assert (status, body) == (200, b"<p>" * 1000), "the last answer of a URL counts"
    assert 0.15 <= head_s < whole_s
    assert whole_s >= 0.29


@needs_loopback
def test_hosts_have_addresses_and_origins_have_ports_of_their_own(replay: Replay) -> None:
    plain, tls, other = (urlsplit(place) for place in replay.places.values())
    assert plain.hostname == tls.hostname != other.hostname
    assert plain.port != tls.port
    assert get(str(replay.url_of("http://b.example/")))[:2] == (200, b"b")


@needs_loopback
def test_what_was_not_recorded_is_not_found(replay: Replay) -> None:
    assert get(f"{replay.places['http://b.example']}/robots.txt")[0] == 404


@needs_loopback
def test_connection_serves_many_requests_even_in_pieces(replay: Replay) -> None:
    parts = urlsplit(replay.places["http://b.example"])
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.connect()
    for _ in range(3):
        for piece in (b"GET / HT", b"TP/1.1\r\nHost: b\r", b"\n\r\n"):
            connection.sock.sendall(piece)
            time.sleep(0.01)
        assert connection.sock.recv(1000).endswith(b"\r\n\r\nb")
    connection.close()


@needs_loopback
def test_server_is_gone_with_its_block(recording: Recording) -> None:
    with running_replay(recording) as running:
        os.kill(running.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


@needs_loopback
def test_run_over_a_replay_gives_the_pages_of_the_recording(recording: Recording, tmp_path: Path) -> None:
    with replayed_pages(recording, load_config(None), tmp_path) as pages:
        assert (pages.count, pages.hosts) == (2, 2)
        assert "2 dns" in pages.notes[0]
        own = load_config(None, [f"{key}={value}" for key, value in pages.settings.items()])
        outcome = scrape(own, Request(list(pages.sources), tmp_path / "out"))
    assert outcome.summary.ok == 2
    rows = [json.loads(line) for line in Path(outcome.files["rows"]).read_text().splitlines()]
    assert sorted(row.get("shop", "") for row in rows) == ["", "b"]
    assert all(row["final_url"].startswith("http://127.64.0.") for row in rows)


# -- recording --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moody_site() -> Iterator[Site]:
    yield from start_site(SiteOptions(pages=60, latency_s=0.03, not_found=0.1, redirect=0.2))


def record(site: Site, folder: Path, *, anew: bool = False, config: Config | None = None) -> Recording:
    urls = write_list(folder, [Asked(url) for url in site.urls])
    return recording_of(listed([str(urls)], 60), config or load_config(None), folder / "replay", scrape, anew=anew)


def test_recording_has_pages_redirects_robots_and_latencies_and_no_failures(moody_site: Site, tmp_path: Path) -> None:
    found = record(moody_site, tmp_path)
    answers = {answer.url: answer for answer in found.answers()}
    assert answers[f"{moody_site.url}/robots.txt"].size
    assert {answer.status for answer in answers.values()} == {200, 302, 404}
    assert sum(found.about.failed.values()) + len(found.about.asked) == 60
    assert all(answers[page.url].status in (200, 302) for page in found.about.asked)
    assert min(answers[page.url].head_s for page in found.about.asked) >= 0.029
    assert sorted(path.name for path in found.folder.iterdir()) == ["about.json", "answers.jsonl", "bodies"]


def test_same_list_is_not_recorded_again_unless_asked_for(moody_site: Site, tmp_path: Path) -> None:
    first = record(moody_site, tmp_path)
    digest = digest_of(moody_site.urls)
    assert first.about.digest == digest
    assert record(moody_site, tmp_path).about == first.about
    (tmp_path / "replay" / "about.json").write_bytes((tmp_path / "replay" / "about.json").read_bytes().replace(
        digest.encode(), b"0" * 32
    ))  # fmt: skip
    assert record(moody_site, tmp_path).about.digest == digest, "another list's recording was taken"


def test_robots_rules_hold_while_recording(moody_site: Site, tmp_path: Path) -> None:
    rules = httpx.get(f"{moody_site.url}/robots.txt").text.splitlines()
    forbidden = next(line.split(":", 1)[1].strip() for line in rules if line.startswith("Disallow"))
    secret = f"{moody_site.url}{forbidden.rstrip('*')}x"
    path = write_list(tmp_path, [Asked(secret), Asked(moody_site.urls[0])])
    found = recording_of(listed([str(path)], 9), load_config(None), tmp_path / "replay", scrape, anew=False)
    assert found.about.failed == {"robots": 1}
    assert secret not in [answer.url for answer in found.answers()]


def test_list_of_which_nothing_comes_is_no_recording(moody_site: Site, tmp_path: Path) -> None:
    path = write_list(tmp_path, [Asked(f"{moody_site.url}/nothing/here")])
    with pytest.raises(ScraperError, match=r"none of the pages could be recorded \(1 http_status\)"):
        recording_of(listed([str(path)], 9), load_config(None), tmp_path / "replay", scrape, anew=False)
    assert not (tmp_path / "replay").exists()


# -- lists and settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        (["http://127.0.0.1/", "http://a.example/", "http://b.example/"], "a.example"),
        (["http://[::1]:8000/", "http://localhost/", "http://x.localhost/", "http://127.9.9.9/"], None),
        (["http://192.168.0.1/"], "192.168.0.1"),
        (["http://127.0.0.1.a.example/"], "127.0.0.1.a.example"),
        (["http://127.0.0.1@b.example/"], "b.example"),
    ],
)
def test_first_host_that_is_not_this_machine_is_found(tmp_path: Path, lines: list[str], host: str | None) -> None:
    path = tmp_path / "urls.txt"
    path.write_text("\n".join(lines))
    found = listed([str(path)], 100)
    assert found.first_remote == host
    if host is None:
        assert local_pages(found, tmp_path).count == len(lines)
    else:
        with pytest.raises(UsageError, match=f"^{host} is not this machine.*--replay"):
            local_pages(found, tmp_path)


def test_list_is_read_to_the_limit_without_what_is_no_page(tmp_path: Path) -> None:
    path = tmp_path / "urls.csv"
    path.write_text("url,name\nhttp://127.0.0.1/1,a\nnonsense,b\nhttp://127.0.0.1/1#x,c\nhttp://127.0.0.1/2,d\n"
                    "http://127.0.0.1/3,e\n")  # fmt: skip
    found = listed([str(path)], 2)
    assert [target.href[-2:] for target in found.targets] == ["/1", "/2"]
    assert found.cut == ("Of the list the first 2 URLs were taken (--limit).",)
    pages = local_pages(found, tmp_path)
    rows = [json.loads(line) for line in Path(pages.sources[0]).read_text().splitlines()]
    assert rows == [{"name": "a", "url": "http://127.0.0.1/1"}, {"name": "d", "url": "http://127.0.0.1/2"}]


@pytest.mark.parametrize(
    ("overrides", "no_delay", "expected"),
    [
        ([], False, {"politeness.per_host": 8}),
        (["politeness.per_host=3"], False, {}),
        (["politeness.per_host=3", "fetch.proxy=http://p:1"], False, {"fetch.proxy": ""}),
        (["politeness.per_host=3"], True, {"politeness.delay": "0s", "politeness.robots": False}),
    ],
    ids=["auto", "own", "proxy", "no delay"],
)
def test_replay_is_as_polite_as_the_real_thing(overrides: list[str], no_delay: bool, expected: dict) -> None:
    settings = replay_settings(load_config(None, overrides), no_delay=no_delay)
    assert settings == {"network.private_addresses": "listed", **expected}
