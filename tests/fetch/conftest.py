"""A raw server on loopback that says exactly what a test tells it to, and clients on both wires."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from scraper import weburl
from scraper.config import FetchConfig, NetworkConfig, PolitenessConfig
from scraper.fetch.client import Client
from scraper.records import Job, Target

Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
WIRES = ("pyreqwest", "httpx")


class RawServer:
    """Answers the n-th request with the n-th reply, the last one for all further; a reply ends its connection."""

    def __init__(self, *replies: Reply, keep: bool = False, tls: Any = None) -> None:
        self._replies = replies
        self._keep = keep
        self._tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.dropped = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/"

    def head(self, name: str, request: int = -1) -> str | None:
        """The value of a header of a request, None where it was not sent."""
        for line in self.requests[request].decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    async def __aenter__(self) -> "RawServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._answer_all(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.dropped.set()
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            reply = self._replies[min(len(self.requests), len(self._replies)) - 1]
            if isinstance(reply, bytes):
                writer.write(reply)
                await writer.drain()
            else:
                await reply(writer)
            if not self._keep:
                return


def ok(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8") + body


def chunked(*pieces: bytes, headers: tuple[str, ...] = (), end: bytes = b"0\r\n\r\n") -> bytes:
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]).encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def job_for(url: str, **fields: Any) -> Job:
    return Job(Target(1, url, url, weburl.host(url)), url, weburl.host(url), **fields)


def no_lookup(host: str) -> tuple[str, ...]:
    raise AssertionError(f"a test asked the system for the address of {host}")


MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    """Makes clients that are closed at the end; keywords are settings of [fetch], and `network`, `lookup`, `transport`."""
    async with AsyncExitStack() as stack:

        async def make(*, network: str = "listed", **settings: Any) -> Client:
            extra = {name: settings.pop(name) for name in ("lookup", "transport_object") if name in settings}
            client = Client(
                FetchConfig(**({"timeout": 5.0} | settings)),
                PolitenessConfig(),
                NetworkConfig(private_addresses=network),
                transport=extra.get("transport_object"),
                lookup=extra.get("lookup", no_lookup),
            )
            return await stack.enter_async_context(client)

        yield make


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)
