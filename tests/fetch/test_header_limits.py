"""How much of a head is taken: a server cannot fill our memory with headers, on either wire."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job

MakeJob = Callable[..., Job]
Writer = asyncio.StreamWriter

MOST_TAKEN = 16 * 1024 * 1024
"""What may be written before the connection drops: the system's own buffers for both sides, and little of ours."""


class Flood:
    """A reply that goes on until the client drops the connection, and counts what it could send."""

    def __init__(self, start: bytes, piece: bytes) -> None:
        self._start = start
        self._piece = piece
        self.bytes = 0

    async def __call__(self, writer: Writer) -> None:
        writer.write(self._start)
        while True:
            writer.write(self._piece)
            await writer.drain()
            self.bytes += len(self._piece)


def headers(count: int, value_bytes: int) -> bytes:
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"a" * value_bytes) for n in range(count))
    return b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nhi"


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(headers(10_000, 10), id="10,000 headers"),
        pytest.param(headers(100_000, 10), id="100,000 headers"),
        pytest.param(headers(1, 1_000_000), id="1 MB in one header"),
        pytest.param(headers(20, 100_000), id="20 headers of 100 KB"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * 1_000_000 + b"\r\n\r\n", id="1 MB of reason"),
    ],
)
async def test_a_huge_head_is_a_protocol_fault(
    reply: bytes, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(reply)
    fault = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault), fault
    assert fault.kind == "protocol"


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X-A: %s\r\n" % (b"a" * 1000), id="lines"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 200, id="short lines"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 1000, id="one line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-A: a\r\n", b" folded\r\n" * 100, id="one folded line"),
        pytest.param(b"HTTP/1.1 302 Found\r\nLocation: /", b"a" * 1000, id="a Location"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=%s\r\n" % (b"a" * 1000), id="cookies"),
        pytest.param(b"", b"a" * 1000, id="a status line"),
    ],
)
async def test_a_head_without_end_is_dropped_early(
    start: bytes, piece: bytes, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    flood = Flood(start, piece)
    server = await serve(flood)
    fault = await (await make_client(transport=wire, cookies=True)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault), fault
    assert fault.kind == "protocol"
    await asyncio.wait_for(server.dropped.wait(), 5)
    assert flood.bytes < MOST_TAKEN


async def test_trailers_without_end_are_no_page(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    flood = Flood(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", b"X-A: %s\r\n" % (b"a" * 1000)
    )
    server = await serve(flood)
    fault = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault), fault
    await asyncio.wait_for(server.dropped.wait(), 5)
    assert flood.bytes < MOST_TAKEN
