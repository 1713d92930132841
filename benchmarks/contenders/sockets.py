"""The least that fetching can cost: HTTP/1.1 on bare asyncio protocols over uvloop, for the floor to stand on.

Only what the benchmark's own server sends is understood: status 200 with a Content-Length. Anything else ends the run.
"""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import uvloop

OnBody = Callable[[str, bytes], None]


class Connection(asyncio.Protocol):
    """One kept connection: sends a request, gives the body away, and takes the next URL until none is left."""

    def __init__(self, urls: Iterator[str], on_body: OnBody, done: "asyncio.Future[None]") -> None:
        """`urls` is shared by all connections; `done` is set when this one finds it empty."""
        self._urls = urls
        self._on_body = on_body
        self._done = done
        self._url = ""
        self._buffer = bytearray()
        self._end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first page."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none, by its class
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Gather one answer."""
        buffer = self._buffer
        buffer += data
        if not self._end:
            self._read_head()
        if self._end and len(buffer) >= self._end:
            body = bytes(memoryview(buffer)[self._start : self._end])
            buffer.clear()
            self._end = 0
            self._on_body(self._url, body)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server must not close before the end."""
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed a connection"))

    def _ask(self) -> None:
        self._url = next(self._urls, "")
        if not self._url:
            self._done.set_result(None)
            self._transport.close()
            return
        parts = urlsplit(self._url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self._transport.write(f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())

    def _read_head(self) -> None:
        at = self._buffer.find(b"\r\n\r\n")
        if at < 0:
            return
        head = bytes(self._buffer[:at]).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise ConnectionError(f"{self._url}: {head[:40]!r}")
        self._start = at + 4
        self._end = self._start + int(head.partition(b"content-length:")[2].split(b"\r\n")[0])


async def _fetch_all(urls: list[str], on_body: OnBody, connections: int) -> None:
    loop = asyncio.get_running_loop()
    parts = urlsplit(urls[0])
    queue = iter(urls)
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for end in ends:
        make = partial(Connection, queue, on_body, end)
        await loop.create_connection(make, parts.hostname or "", parts.port or 80)
    await asyncio.gather(*ends)


def fetch_all(urls: list[str], on_body: OnBody, connections: int) -> None:
    """Fetch URLs of one host; `on_body` gets each URL with its body, as they come."""
    uvloop.run(_fetch_all(urls, on_body, connections))
