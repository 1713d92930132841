"""What the head of a page says of its body: how it is coded, and how its end is known."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from scraper.fetch.answer import BodyHead, read_head
from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page
from tests.hostile.answers import chunked, forever, head, sized

MakeJob = Callable[..., Job]
Headers = list[tuple[str, str]]
LENGTH, CHUNKED = ("Content-Length", "9"), ("Transfer-Encoding", "chunked")
GZIP, BR = ("Content-Encoding", "gzip"), ("Content-Encoding", "br")


def answer(headers: Headers, status: int = 200, version: bytes = b"HTTP/1.1") -> httpx.Response:
    return httpx.Response(status, headers=headers, extensions={"http_version": version})


@pytest.mark.parametrize(
    ("headers", "coding"),
    [
        ([], ""),
        ([GZIP], "gzip"),
        ([GZIP, BR], "gzip, br"),
        ([("Content-Encoding", "identity")], ""),
    ],
)
def test_coding_is_read_off_all_headers(headers: Headers, coding: str) -> None:
    assert read_head(answer([LENGTH, *headers]), 0.0) == BodyHead(coding, 9, False)


@pytest.mark.parametrize("value", ["snappy", "gzip, snappy", ", ".join(["br"] * 6)])
def test_coding_that_cannot_be_undone_is_a_fault_of_the_head(value: str) -> None:
    fault = read_head(answer([LENGTH, ("Content-Encoding", value)]), 0.0)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status) == ("decode", 200)


@pytest.mark.parametrize(
    ("headers", "status", "version", "expected"),
    [
        ([], 200, b"HTTP/1.1", True),
        ([], 200, b"HTTP/1.0", True),
        ([], 203, b"HTTP/1.1", True),
        ([GZIP], 200, b"HTTP/1.1", True),
        ([("Transfer-Encoding", "identity")], 200, b"HTTP/1.1", True),
        ([LENGTH], 200, b"HTTP/1.1", False),
        ([CHUNKED], 200, b"HTTP/1.1", False),
        ([("Transfer-Encoding", "Chunked")], 200, b"HTTP/1.1", False),
        ([], 204, b"HTTP/1.1", False),
        ([], 200, b"HTTP/2", False),
        ([], 200, b"HTTP/2.0", False),
        ([], 200, b"", False),
    ],
)
def test_body_ends_by_closing_where_nothing_else_ends_it(
    headers: Headers, status: int, version: bytes, expected: bool
) -> None:
    found = read_head(answer(headers, status, version), 0.0)
    assert isinstance(found, BodyHead)
    assert found.close_delimited is expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (head() + b"hello", True),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", True),
        (head("Content-Encoding: gzip") + gzip.compress(b"hello"), True),
        (sized(b"hello"), False),
        (chunked(b"hello"), False),
        (head(status="204 No Content"), False),
        (head("Content-Length: 0"), False),
    ],
)
async def test_page_tells_on_both_wires_that_only_closing_ended_it(
    reply: bytes, expected: bool, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(reply)
    page = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page
    assert page.close_delimited is expected


async def test_coded_body_comes_as_it_was_sent(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(sized(b"any bytes", "Content-Encoding: X-GZIP", "Content-Encoding: zstd"))
    page = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page
    assert (page.body, page.coding) == (b"any bytes", "gzip, zstd")


@pytest.mark.parametrize("coding", ["snappy", "gzip\xe9"])
async def test_unknown_coding_is_a_fault_before_its_body_comes(
    coding: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(forever(head(f"Content-Encoding: {coding}"), bytes(65536)))
    fault = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status) == ("decode", 200)
    await asyncio.wait_for(server.dropped.wait(), 2)


async def test_body_announced_too_large_is_not_waited_for(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    async def stall(writer: asyncio.StreamWriter) -> None:
        writer.write(head("Content-Length: 1000001", "Content-Encoding: gzip"))
        await writer.drain()
        await asyncio.sleep(60)

    server = await serve(stall)
    client = await make_client(transport=wire, max_body=1_000_000)
    async with asyncio.timeout(3):
        fault = await client.fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.status) == ("too_large", 200)
