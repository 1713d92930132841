"""The site on its real server, seen by a real client; and what is left of it afterwards."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from scraper.errors import UsageError
from scraper.site.faults import fault_of, fault_shares
from scraper.site.options import FAULT_NAMES, FaultName, SiteOptions
from scraper.site.pagemap import PageMap
from scraper.site.server import RunningSite, bind, running_site, url_of

OPTIONS = SiteOptions(
    pages=80, not_found=0.1, rate_limited=0.15, flaky=0.15, slow=0.1, cut=0.15, redirect=0.15, slow_s=0.05
)


@pytest.fixture(scope="module")
def faulty_site() -> Iterator[RunningSite]:
    with running_site(OPTIONS) as site:
        yield site


@pytest.fixture
def client(faulty_site: RunningSite) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=faulty_site.url, trust_env=False) as client:
        yield client


def paths_with(fault: FaultName | None) -> list[str]:
    shares = fault_shares(OPTIONS)
    return [path for path in PageMap(OPTIONS.pages).detail_paths if fault_of(shares, OPTIONS.seed, path) == fault]


def test_the_sample_has_every_fault() -> None:
    assert all(paths_with(fault) for fault in (None, *FAULT_NAMES))


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        (None, (200, 200)),
        ("not_found", (404, 404)),
        ("rate_limited", (429, 200)),
        ("flaky", (500, 200)),
        ("redirect", (302, 302)),
    ],
)
def test_a_client_sees_the_fault_of_each_page(
    client: httpx.Client, fault: FaultName | None, statuses: tuple[int, int]
) -> None:
    for path in paths_with(fault):
        answers = [client.get(path), client.get(path)]
        assert tuple(answer.status_code for answer in answers) == statuses
        assert answers[0].headers.get("retry-after") == ("1" if fault == "rate_limited" else None)


def test_a_client_reaches_a_moved_page_by_its_location(client: httpx.Client, faulty_site: RunningSite) -> None:
    path = paths_with("redirect")[0]
    answer = client.get(path, follow_redirects=True)
    assert (answer.status_code, str(answer.url)) == (200, f"{faulty_site.url}{path}?moved=1")


def test_a_client_sees_a_cut_body_as_cut_at_every_try(client: httpx.Client) -> None:
    for path in paths_with("cut") * 2:
        with client.stream("GET", path) as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
                answer.read()
            assert answer.num_bytes_downloaded == int(answer.headers["content-length"]) // 2


def test_a_slow_page_takes_its_time(client: httpx.Client) -> None:
    before = time.monotonic()
    assert client.get(paths_with("slow")[0]).status_code == 200
    assert time.monotonic() - before >= OPTIONS.slow_s


def test_the_lists_name_the_address_the_client_used(client: httpx.Client, faulty_site: RunningSite) -> None:
    urls = client.get("/urls.txt").text.splitlines()
    assert len(urls) == OPTIONS.pages
    assert urls == [faulty_site.url + path for path in faulty_site.paths]
    by_name = client.get("/urls.txt", headers={"host": "localhost:99"}).text.splitlines()
    assert by_name[0] == "http://localhost:99/shop/item/1"


def test_a_host_header_cannot_write_into_the_page(client: httpx.Client) -> None:
    assert "<b>" not in client.get("/", headers={"host": "<b>.test"}).text


def test_a_connection_serves_many_requests(client: httpx.Client, faulty_site: RunningSite) -> None:
    ports = set()
    for path in paths_with(None)[:5]:
        with client.stream("GET", path) as answer:
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            answer.read()
    assert len(ports) == 1


def test_head_gives_the_length_without_the_body(client: httpx.Client) -> None:
    path = paths_with(None)[0]
    answer = client.head(path)
    assert (answer.content, int(answer.headers["content-length"])) == (b"", len(client.get(path).content))


def test_other_methods_are_not_allowed(client: httpx.Client) -> None:
    answer = client.post("/shop/", content=b"x=1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_waiting_pages_do_not_wait_for_each_other() -> None:
    with running_site(SiteOptions(pages=20, latency_s=0.2)) as site:
        async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
            before = time.monotonic()
            answers = await asyncio.gather(*(client.get(f"/news/{number}") for number in range(1, 11)))
            spent = time.monotonic() - before
    assert {answer.status_code for answer in answers} == {200}
    assert 0.2 <= spent < 1.0


def test_the_process_is_gone_after_the_block() -> None:
    with running_site(SiteOptions(pages=1)) as site:
        assert httpx.get(site.url, trust_env=False).status_code == 200
    with pytest.raises(ProcessLookupError):
        os.kill(site.pid, 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(site.url, trust_env=False)


def test_the_process_is_gone_after_an_error_in_the_block() -> None:
    with pytest.raises(KeyError), running_site(SiteOptions(pages=1)) as site:
        raise KeyError
    with pytest.raises(ProcessLookupError):
        os.kill(site.pid, 0)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_the_process_ends_when_its_parent_is_killed() -> None:
    code = (
        "import time; from scraper.site.options import SiteOptions; from scraper.site.server import running_site\n"
        "with running_site(SiteOptions(pages=1)) as site: print(site.url, flush=True); time.sleep(50)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert httpx.get(url, trust_env=False).status_code == 200
        parent.kill()
    _wait_until_refused(url)


def test_a_port_in_use_is_one_line_that_says_what_to_do() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        message = f"^port {port} on 127.0.0.1 is in use: choose another with --port, or --port 0 for any free one$"
        with pytest.raises(UsageError, match=message), running_site(SiteOptions(pages=1), port=port):
            raise AssertionError("it runs twice on one port")


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "a" * 70])
def test_an_address_that_is_not_ours_is_one_line(host: str) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]*--host 127\.0\.0\.1[^\n]*$"):
        bind(host, 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_an_ipv6_url_has_brackets() -> None:
    try:
        listener = bind("::1", 0)
    except UsageError:
        pytest.skip("this machine has no ::1")
    with listener:
        assert url_of(listener) == f"http://[::1]:{listener.getsockname()[1]}"


def _wait_until_refused(url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False, timeout=5)
        except httpx.TransportError:
            return
    raise AssertionError(f"{url} still answers")
