"""Requests through proxies that really run, on loopback: what they are asked, what they are told, and how they fail."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page
from tests.fetch.proxyserver import STALL, LocalProxy

MakeJob = Callable[..., Job]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"
StartProxy = Callable[..., Awaitable[LocalProxy]]


@pytest.fixture
async def start_proxy(open_things: Any) -> StartProxy:
    async def start(**options: Any) -> LocalProxy:
        return await open_things.enter_async_context(LocalProxy(**options))

    return start


def dead_proxy() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://joe:s3cret@127.0.0.1:{unused.getsockname()[1]}"


class TestWhatIsAsked:
    """Names are looked up by the proxy: the fixture's own lookup would fail the test."""

    async def test_plain_http_is_asked_of_the_proxy_by_name(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        server, proxy = await serve(OK), await start_proxy(login="joe:p@ss")
        client = await make_client(proxy=proxy.url("http", "joe:p%40ss"), headers={"X-Key": "1"})
        url = f"http://a.example:{server.port}/x?y=%7C|z"
        page = await client.fetch(job_for(url), Unbounded())
        assert isinstance(page, Page), page
        assert (page.body, page.final_url) == (b"hi", url)
        assert proxy.asked == [f"GET {url}"]
        assert "x-key: 1\r\n" in proxy.heads[0].lower()
        assert server.head("Proxy-Authorization") is None

    @pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
    async def test_https_is_tunnelled_and_the_host_hears_nothing_of_the_login(
        self, is_tls: bool, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob, authority: Any
    ) -> None:
        server = await serve(OK, keep=True, tls=authority.server("a.example"))
        proxy = await start_proxy(login="joe:pw", tls=authority.server("localhost") if is_tls else None)
        client = await make_client(proxy=proxy.url("https" if is_tls else "http", "joe:pw"), ca_file=authority.file)
        for _ in range(2):
            page = await client.fetch(job_for(f"https://a.example:{server.port}/x"), Unbounded())
            assert isinstance(page, Page), page
        assert proxy.asked == [f"CONNECT a.example:{server.port}"]  # one tunnel for both
        assert server.requests[0].startswith(b"GET /x HTTP/1.1\r\n")
        assert (server.head("Host"), server.head("Proxy-Authorization")) == (f"a.example:{server.port}", None)

    async def test_the_host_behind_a_tunnel_must_show_its_certificate(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob, authority: Any
    ) -> None:
        server, proxy = await serve(OK, tls=authority.server("b.example")), await start_proxy()
        client = await make_client(proxy=proxy.url("http"), ca_file=authority.file)
        fault = await client.fetch(job_for(f"https://a.example:{server.port}/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "tls", fault

    async def test_a_socks5h_proxy_is_given_the_name(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        server, proxy = await serve(OK), await start_proxy(login="joe:pw")
        client = await make_client(proxy=proxy.url("socks5h", "joe:pw"))
        page = await client.fetch(job_for(f"http://a.example:{server.port}/"), Unbounded())
        assert isinstance(page, Page), page
        assert proxy.asked == [f"SOCKS a.example:{server.port}"]

    @pytest.mark.parametrize("scheme", ["http", "https"])
    async def test_a_socks5_proxy_is_given_the_judged_address(
        self, scheme: str, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob, authority: Any
    ) -> None:
        server = await serve(OK, tls=authority.server("a.example") if scheme == "https" else None)
        proxy = await start_proxy()
        client = await make_client(
            proxy=proxy.url("socks5"), ca_file=authority.file, lookup=lambda host: ("93.184.216.34",)
        )
        page = await client.fetch(job_for(f"{scheme}://a.example:{server.port}/"), Unbounded())
        assert isinstance(page, Page), page
        assert proxy.asked == [f"SOCKS 93.184.216.34:{server.port}"]
        assert server.head("Host") == f"a.example:{server.port}"

    async def test_environment_proxies_are_ignored(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, dead_proxy())
            monkeypatch.setenv(name.lower(), os.environ[name])
        server = await serve(OK)
        page = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
        assert isinstance(page, Page), page

    async def test_http2_goes_through_a_tunnel_where_the_host_has_none_of_it(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob, authority: Any
    ) -> None:
        server, proxy = await serve(OK, tls=authority.server("a.example")), await start_proxy()
        client = await make_client(proxy=proxy.url("http"), ca_file=authority.file, http2=True)
        page = await client.fetch(job_for(f"https://a.example:{server.port}/"), Unbounded())
        assert isinstance(page, Page), page


class TestTheGuard:
    async def judged(self, make_client: Any, job: Job, **settings: Any) -> str:
        answer = await (await make_client(**settings)).fetch(job, Unbounded())
        return answer.kind if isinstance(answer, Fault) else "page"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://10.0.0.1/", "https://localhost/", "https://[::1]/"])
    async def test_what_a_url_says_itself_is_judged_before_any_proxy(
        self, url: str, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy()
        redirected = job_for(url, target_url="https://a.example/", hop=1)
        assert await self.judged(make_client, redirected, proxy=proxy.url("http")) == "blocked_address"
        denied = await self.judged(make_client, job_for(url), proxy=proxy.url("http"), network="deny")
        assert denied == "blocked_address"
        assert proxy.connections == 0

    async def test_a_name_that_leads_to_a_private_address_is_blocked_with_socks5(
        self, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy()
        kind = await self.judged(
            make_client, job_for("http://a.example/"), proxy=proxy.url("socks5"), lookup=lambda host: ("10.0.0.1",)
        )
        assert (kind, proxy.connections) == ("blocked_address", 0)


class TestFailing:
    async def test_one_that_fails_is_passed_over_and_left_alone(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        server, refusing, good = await serve(OK), await start_proxy(login="a:b"), await start_proxy()
        client = await make_client(proxy=[dead_proxy(), refusing.url("http", "joe:s3cret"), good.url("http")])
        for n in range(4):
            page = await client.fetch(job_for(f"http://a.example:{server.port}/{n}"), Unbounded())
            assert isinstance(page, Page), page
        assert (len(refusing.asked), len(good.asked)) == (1, 4)

    async def test_several_take_turns(
        self, serve: Any, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        server, proxies = await serve(OK), [await start_proxy() for _ in range(3)]
        client = await make_client(proxy=[proxy.url("http") for proxy in proxies])
        for n in range(6):
            await client.fetch(job_for(f"http://a.example:{server.port}/{n}"), Unbounded())
        assert [len(proxy.asked) for proxy in proxies] == [2, 2, 2]

    @pytest.mark.parametrize(
        ("scheme", "options", "words"),
        [
            ("http", {"login": "joe:other"}, "HTTP 407"),
            ("socks5h", {"login": "joe:other"}, "refuses the user name"),
            ("http", {"says": b"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, "does not speak HTTP"),
            ("http", {"says": b"x" * 20_000}, "does not speak HTTP"),
            ("http", {"says": b""}, "closed the connection"),
            ("https", {}, "no connection within fetch.connect_timeout"),
        ],
    )
    async def test_a_bad_proxy_is_told_apart_from_a_bad_host_and_named_without_its_login(
        self,
        scheme: str,
        options: dict[str, Any],
        words: str,
        start_proxy: StartProxy,
        make_client: Any,
        job_for: MakeJob,
    ) -> None:
        proxy = await start_proxy(**options)
        client = await make_client(proxy=proxy.url(scheme, "joe:s3cret"), connect_timeout=0.5)
        fault = await client.fetch(job_for("https://a.example/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "connect"
        assert words in fault.message
        assert f"{scheme}://localhost:{proxy.port}" in fault.message
        assert "s3cret" not in fault.message
        assert fault.retry_after_s == pytest.approx(30, abs=1)
        asked = len(proxy.asked)
        again = await client.fetch(job_for("https://b.example/"), Unbounded())
        assert isinstance(again, Fault)
        assert (again.kind, len(proxy.asked)) == ("connect", asked)  # it is cooling, and nobody asked
        assert "left alone for 30 s" in again.message or "left alone for 29 s" in again.message

    @pytest.mark.parametrize(
        ("scheme", "says", "words"),
        [
            ("http", 502, "HTTP 502"),
            ("http", 403, "HTTP 403"),
            ("socks5h", 4, "host unreachable"),
            ("socks5h", 2, "not allowed"),
        ],
    )
    async def test_a_host_that_a_proxy_cannot_reach_is_the_hosts_affair(
        self, scheme: str, says: int, words: str, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy(says=says)
        client = await make_client(proxy=proxy.url(scheme))
        for n in range(2):
            fault = await client.fetch(job_for(f"https://{n}.example/"), Unbounded())
            assert isinstance(fault, Fault)
            assert (fault.kind, fault.retry_after_s) == ("connect", None)
            assert words in fault.message
        assert len(proxy.asked) == 2

    async def test_a_407_to_plain_http_cools_the_proxy_too(
        self, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy(login="joe:other")
        client = await make_client(proxy=proxy.url("http", "joe:s3cret"))
        for _ in range(2):
            fault = await client.fetch(job_for("http://a.example/"), Unbounded())
            assert isinstance(fault, Fault)
            assert fault.kind == "connect"
        assert len(proxy.asked) == 1

    async def test_one_silence_is_the_hosts_fault_and_eight_are_the_proxys(
        self, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy(says=STALL)
        client = await make_client(proxy=proxy.url("http"), connect_timeout=0.05)
        jobs = [job_for(f"https://{n}.example/") for n in range(8)]
        faults = await asyncio.gather(*(client.fetch(job, Unbounded()) for job in jobs))
        assert {fault.kind for fault in faults if isinstance(fault, Fault)} == {"connect"}
        last = await client.fetch(job_for("https://last.example/"), Unbounded())
        assert isinstance(last, Fault)
        assert "left alone" in last.message
        assert len(proxy.asked) == 8

    async def test_a_proxy_that_cannot_be_reached_in_time(
        self, full_backlog: int, make_client: Any, job_for: MakeJob
    ) -> None:
        client = await make_client(proxy=f"http://joe:s3cret@127.0.0.1:{full_backlog}", connect_timeout=0.1)
        fault = await client.fetch(job_for("https://a.example/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "connect"
        assert "no connection within fetch.connect_timeout" in fault.message
        assert "s3cret" not in fault.message

    async def test_a_cancelled_request_leaves_no_connection(
        self, start_proxy: StartProxy, make_client: Any, job_for: MakeJob
    ) -> None:
        proxy = await start_proxy(says=STALL)
        client = await make_client(proxy=proxy.url("http"), timeout=0.1)
        fault = await client.fetch(job_for("https://a.example/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "timeout"
