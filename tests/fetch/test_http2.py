"""HTTP/2 on both wires, against a server that speaks it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page
from tests.fetch.h2server import H2Server

MakeJob = Callable[..., Job]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
async def server(open_things: Any, authority: Any) -> H2Server:
    return await open_things.enter_async_context(H2Server(authority.server("127.0.0.1", "shop.localhost")))


@pytest.fixture
async def fetch(server: H2Server, loop_wire: str, make_client: Any, job_for: MakeJob, authority: Any) -> Any:
    client = await make_client(
        transport=loop_wire, http2=True, ca_file=authority.file, timeout=1.5, headers={"X-Key": "1"}
    )

    async def get(path: str, host: str = "127.0.0.1") -> Any:
        return await client.fetch(job_for(f"https://{host}:{server.port}{path}"), Unbounded())

    return get


async def test_many_pages_come_over_one_connection(fetch: Any, server: H2Server) -> None:
    first = await fetch("/")
    pages = [first, *await asyncio.gather(*(fetch(f"/{n}?a=b|c") for n in range(20)))]
    assert {page.body for page in pages} == {b"hi"}
    assert (len(server.requests), server.connections) == (21, 1)
    request = server.requests[-1]
    assert request[":authority"] == f"127.0.0.1:{server.port}"
    assert request[":path"].endswith("?a=b|c")
    assert (request["x-key"], "host" in request) == ("1", False)


async def test_a_page_in_many_frames_is_whole_and_not_close_delimited(fetch: Any) -> None:
    page = await fetch("/big")
    assert isinstance(page, Page), page
    assert page.body == H2Server.BIG
    assert not page.close_delimited


@pytest.mark.parametrize(
    ("path", "kinds"),
    [
        ("/reset", {"truncated"}),
        ("/cut", {"truncated"}),
        ("/short", {"truncated", "protocol"}),
        ("/refused", {"protocol"}),
        ("/headers", {"protocol"}),
        ("/stall", {"timeout"}),
    ],
)
async def test_what_breaks_off_is_a_fault(path: str, kinds: set[str], fetch: Any) -> None:
    fault = await fetch(path)
    assert isinstance(fault, Fault), fault
    assert fault.kind in kinds, fault
    assert isinstance(await fetch("/"), Page)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https without it"])
async def test_a_server_without_it_gets_http_1(
    is_tls: bool, loop_wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
) -> None:
    server = await serve(OK, tls=authority.server("127.0.0.1") if is_tls else None)
    client = await make_client(transport=loop_wire, http2=True, ca_file=authority.file)
    page = await client.fetch(job_for(server.url + "x"), Unbounded())
    assert isinstance(page, Page), page
    assert server.requests[0].startswith(b"GET /x HTTP/1.1\r\n")
    assert server.head("Host") == f"127.0.0.1:{server.port}"


async def test_it_is_not_offered_unasked(
    loop_wire: str, serve: Any, make_client: Any, job_for: MakeJob, authority: Any
) -> None:
    context = authority.server("127.0.0.1")
    context.set_alpn_protocols(["h2", "http/1.1"])
    server = await serve(OK, tls=context)
    page = await (await make_client(transport=loop_wire, ca_file=authority.file)).fetch(
        job_for(server.url), Unbounded()
    )
    assert isinstance(page, Page), page
