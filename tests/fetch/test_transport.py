"""The pyreqwest wire by itself: a transport that httpx's own client can use."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest

from scraper.config import FetchConfig
from scraper.fetch.httpx_wire import httpx_transport
from scraper.fetch.transport import ReqwestTransport
from scraper.fetch.wires import make_transport


@pytest.fixture
async def client(open_things: Any) -> httpx.AsyncClient:
    wire = ReqwestTransport(FetchConfig())
    return await open_things.enter_async_context(httpx.AsyncClient(transport=wire, timeout=None))


async def test_serves_httpxs_client(client: httpx.AsyncClient, serve: Any) -> None:
    body = gzip.compress(b"hello")
    head = "Content-Encoding: gzip\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: "
    server = await serve(f"HTTP/1.1 200 OK\r\n{head}{len(body)}\r\n\r\n".encode() + body)
    response = await client.get(server.url)
    assert response.text == "hello"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_obeys_httpxs_read_timeout(client: httpx.AsyncClient, serve: Any) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
        await writer.drain()
        await asyncio.sleep(60)

    server = await serve(stall)
    with pytest.raises(httpx.ReadTimeout):
        await client.get(server.url, timeout=httpx.Timeout(None, read=0.1))


async def test_obeys_it_for_the_head_too(client: httpx.AsyncClient, serve: Any) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    server = await serve(stall)
    with pytest.raises(httpx.ReadTimeout):
        await client.get(server.url, timeout=httpx.Timeout(None, read=0.1))


async def test_an_unreadable_header_costs_only_itself(client: httpx.AsyncClient, serve: Any) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nX-B: tea\r\nContent-Length: 2\r\n\r\nhi")
    response = await client.get(server.url)
    assert "x-a" not in response.headers
    assert response.headers["x-b"] == "tea"


@pytest.mark.parametrize(("name", "kind"), [("pyreqwest", ReqwestTransport), ("httpx", httpx.AsyncHTTPTransport)])
async def test_the_setting_names_the_wire(name: str, kind: type) -> None:
    async with make_transport(FetchConfig(transport=name)) as wire:
        assert isinstance(wire, kind)


async def test_httpxs_pool_never_queues() -> None:
    async with httpx_transport(FetchConfig(concurrency=7)) as wire:
        assert (wire._pool._max_connections, wire._pool._max_keepalive_connections) == (7, 7)
