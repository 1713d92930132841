"""The client on both wires: what is sent to whom, what comes back, and how connecting fails."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer

from scraper.budget import ByteBudget
from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page, Redirect

MakeJob = Callable[..., Job]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi"


async def test_a_page_carries_what_the_parser_needs(
    wire: str, httpserver: HTTPServer, make_client: Any, job_for: MakeJob
) -> None:
    httpserver.expect_request("/p", query_string="a=b|c").respond_with_data("<p>x", 203, content_type="text/html")
    job = job_for(httpserver.url_for("/p?a=b|c"))
    page = await (await make_client(transport=wire)).fetch(job, Unbounded())
    assert isinstance(page, Page), page
    assert (page.body, page.status, page.content_type) == (b"<p>x", 203, "text/html")
    assert (page.url, page.final_url) == (job.target.url, job.url)
    assert page.fetched_at > 1.7e9


async def test_a_redirect_is_given_not_followed(
    wire: str, httpserver: HTTPServer, make_client: Any, job_for: MakeJob
) -> None:
    httpserver.expect_request("/old").respond_with_data("moved", 308, headers={"Location": "/new"})
    answer = await (await make_client(transport=wire)).fetch(job_for(httpserver.url_for("/old")), Unbounded())
    assert isinstance(answer, Redirect)
    assert (answer.location, answer.status) == ("/new", 308)
    assert 0 < answer.took_s < 5


async def test_a_refusal_carries_status_and_retry_after(
    wire: str, httpserver: HTTPServer, make_client: Any, job_for: MakeJob
) -> None:
    httpserver.expect_request("/").respond_with_data("slow down", 429, headers={"Retry-After": "7"})
    fault = await (await make_client(transport=wire)).fetch(job_for(httpserver.url_for("/")), Unbounded())
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status, fault.retry_after_s) == ("http_status", 429, 7.0)
    assert "politeness" in fault.message


@pytest.mark.parametrize("status", ["404 Not Found", "302 Found", "200 OK"])
async def test_the_connection_is_used_again_after_any_short_answer(
    status: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    reply = f"HTTP/1.1 {status}\r\nLocation: /x\r\nContent-Length: 2000\r\n\r\n".encode() + bytes(2000)
    server = await serve(reply, keep=True)
    client = await make_client(transport=wire)
    for _ in range(3):
        await client.fetch(job_for(server.url), Unbounded())
    assert (len(server.requests), server.connections) == (3, 1)


async def test_cookies_are_not_kept_and_no_referer_is_sent(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", keep=True)
    client = await make_client(transport=wire)
    for _ in range(2):
        await client.fetch(job_for(server.url), Unbounded())
    assert server.head("Cookie") is None
    assert server.head("Referer") is None


async def test_says_who_asks_and_what_is_taken(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(OK)
    await (await make_client(transport=wire)).fetch(job_for(server.url + "a?b"), Unbounded())
    assert server.requests[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert server.head("Host") == f"127.0.0.1:{server.port}"
    assert server.head("User-Agent").startswith("hybrid-scraper/")
    assert server.head("Accept").startswith("text/html")
    assert server.head("Accept-Encoding").startswith("gzip, deflate")


async def test_the_users_headers_replace_ours(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(OK)
    client = await make_client(transport=wire, headers={"accept": "text/plain", "X-Key": "1"})
    await client.fetch(job_for(server.url), Unbounded())
    assert (server.head("Accept"), server.head("X-Key")) == ("text/plain", "1")


async def test_headers_and_credentials_go_to_the_targets_own_origin_only(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    """A redirect to another port is another origin (scrapy GHSA-4qqq-9vqf-3h3f, aiohttp CVE-2026-47265)."""
    own, other = await serve(OK, keep=True), await serve(OK)
    client = await make_client(transport=wire, headers={"X-Key": "1", "Authorization": "Bearer t"})
    await client.fetch(job_for(own.url + "moved", target_url=own.url, hop=1, userinfo="joe:s\u00e9cret"), Unbounded())
    await client.fetch(job_for(other.url, target_url=own.url, hop=1, userinfo="joe:s\u00e9cret"), Unbounded())
    assert (own.head("X-Key"), own.head("Authorization")) == ("1", "Basic am9lOnPDqWNyZXQ=")
    assert (other.head("X-Key"), other.head("Authorization")) == (None, None)
    await client.fetch(job_for(own.url), Unbounded())
    assert own.head("Authorization") == "Bearer t"


class TestAddresses:
    """Names are resolved by an injected table; whatever is connected to is loopback."""

    async def test_a_name_is_connected_to_at_the_judged_address_with_its_own_host_header(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(OK)
        client = await make_client(transport=wire)
        url = f"http://shop.localhost:{server.port}/x"
        page = await client.fetch(job_for(url), Unbounded())
        assert isinstance(page, Page), page
        assert page.final_url == url
        assert server.head("Host") == f"shop.localhost:{server.port}"

    async def test_the_next_address_is_tried_where_one_refuses(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("scraper.fetch.resolver.LOCALHOST", ("127.0.0.77", "127.0.0.1"))
        server = await serve(OK, keep=True)
        client = await make_client(transport=wire)
        for _ in range(2):
            page = await client.fetch(job_for(f"http://localhost:{server.port}/"), Unbounded())
            assert isinstance(page, Page), page

    async def test_a_name_that_leads_to_loopback_is_blocked_unasked(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(OK)
        client = await make_client(transport=wire, lookup=lambda host: ("127.0.0.1",))
        fault = await client.fetch(job_for(f"http://a.example:{server.port}/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "blocked_address"
        assert server.connections == 0

    async def test_a_name_without_address_is_a_dns_fault(self, wire: str, make_client: Any, job_for: MakeJob) -> None:
        def lookup(host: str) -> tuple[str, ...]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        client = await make_client(transport=wire, lookup=lookup)
        for scheme in ("http", "https"):
            fault = await client.fetch(job_for(f"{scheme}://gone.example/"), Unbounded())
            assert isinstance(fault, Fault)
            assert fault.kind == "dns"


class TestConnecting:
    """What can go wrong before a request is sent."""

    async def test_refused(self, wire: str, make_client: Any, job_for: MakeJob) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
            fault = await (await make_client(transport=wire)).fetch(job_for(url), Unbounded())
        assert isinstance(fault, Fault)
        assert (fault.kind, fault.status) == ("connect", None)

    async def test_no_answer_to_a_connection(
        self, wire: str, full_backlog: int, make_client: Any, job_for: MakeJob
    ) -> None:
        client = await make_client(transport=wire, connect_timeout=0.1)
        fault = await client.fetch(job_for(f"http://127.0.0.1:{full_backlog}/"), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "connect"
        assert "fetch.connect_timeout" in fault.message

    async def test_a_certificate_nobody_trusts(
        self, wire: str, serve: Any, tls: ssl.SSLContext, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(OK, tls=tls)
        fault = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "tls"
        assert "certificate" in fault.message
        assert server.requests == []

    async def test_a_certificate_that_is_not_to_be_checked(
        self, wire: str, serve: Any, tls: ssl.SSLContext, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(OK, tls=tls)
        page = await (await make_client(transport=wire, verify_tls=False)).fetch(job_for(server.url), Unbounded())
        assert isinstance(page, Page), page

    async def test_https_asked_of_a_plain_server(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        async def answer_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer_at_once, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        fault = await (await make_client(transport=wire)).fetch(job_for(url), Unbounded())
        server.close()
        assert isinstance(fault, Fault)
        assert fault.kind == "tls", fault


class TestDeadline:
    """One deadline for all hops of a try; waiting for memory stops it."""

    async def test_time_of_earlier_hops_counts(self, wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
        server = await serve(OK)
        fault = await (await make_client(transport=wire)).fetch(job_for(server.url, spent_s=5.0), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "timeout"

    async def test_waiting_for_memory_does_not_count(
        self, wire: str, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(OK)
        budget = ByteBudget(10)
        first, blocker, page_holder = budget.reserve(), budget.reserve(), budget.reserve()
        await first.grow(10)
        await blocker.grow(10)  # the one that may go over the limit
        client = await make_client(transport=wire, timeout=0.3)
        fetching = asyncio.create_task(client.fetch(job_for(server.url), page_holder))
        await asyncio.sleep(0.4)  # longer than the deadline
        assert budget.is_spent
        first.release()
        blocker.release()
        page = await fetching
        assert isinstance(page, Page), page
        assert page_holder.held == 2


async def test_any_httpx_transport_is_a_wire(make_client: Any, job_for: MakeJob) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, html=f"<p>{request.url.path} {request.headers['host']}")

    client = await make_client(transport_object=httpx.MockTransport(answer), network="allow")
    page = await client.fetch(job_for("http://a.example/x"), Unbounded())
    assert isinstance(page, Page), page
    assert page.body == b"<p>/x a.example"


@pytest.mark.parametrize("error", [RuntimeError("odd"), httpx.InvalidURL("bad"), ExceptionGroup("g", [OSError("x")])])
async def test_whatever_a_wire_raises_costs_one_url(error: Exception, make_client: Any, job_for: MakeJob) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    client = await make_client(transport_object=httpx.MockTransport(fail), network="allow")
    fault = await client.fetch(job_for("http://a.example/"), Unbounded())
    assert isinstance(fault, Fault)
    assert fault.kind == "protocol"
