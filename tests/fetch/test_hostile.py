"""Hostile and broken answers on both wires: no cut page is whole, nothing is unbounded, each ends with its kind."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from scraper.coding import ACCEPT_ENCODING, decoded
from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page, Redirect
from tests.hostile.answers import BROKEN, SLOW, WHOLE, Writer, forever, head, sized

MakeJob = Callable[..., Job]
MAX_BODY = 1_000_000


@pytest.mark.parametrize("case", WHOLE)
async def test_whole_pages_are_given_whole(
    case: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    reply, body = WHOLE[case]
    server = await serve(reply)
    client = await make_client(transport=wire)
    page = await client.fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page
    page = decoded(page, MAX_BODY)
    assert isinstance(page, Page), page
    assert page.body == body


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_answers_end_with_their_kind(
    case: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    reply, kind = BROKEN[case]
    server = await serve(reply)
    client = await make_client(transport=wire, max_body=MAX_BODY)
    answer = await client.fetch(job_for(server.url), Unbounded())
    fault = decoded(answer, MAX_BODY) if isinstance(answer, Page) else answer
    assert isinstance(fault, Fault), fault
    assert fault.kind == kind, fault
    assert fault.message
    if kind in ("truncated", "decode", "too_large"):
        assert fault.status == 200


@pytest.mark.parametrize("case", SLOW)
async def test_the_total_deadline_ends_what_drips_and_drops_the_connection(
    case: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(SLOW[case])
    client = await make_client(transport=wire, timeout=0.2)
    fault = await client.fetch(job_for(server.url), Unbounded())
    assert isinstance(fault, Fault)
    assert fault.kind == "timeout"
    assert "fetch.timeout" in fault.message
    await asyncio.wait_for(server.dropped.wait(), 2)


async def test_an_answer_too_large_drops_the_connection(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(forever(head(), bytes(65536)))
    client = await make_client(transport=wire, max_body=100_000)
    await client.fetch(job_for(server.url), Unbounded())
    await asyncio.wait_for(server.dropped.wait(), 2)


@pytest.mark.parametrize("where", ["head", "body"])
async def test_a_cancelled_request_drops_its_connection(
    where: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    begun = asyncio.Event()
    drip = forever(head() if where == "body" else b"HTTP/1.1 200 OK\r\nX-A: ", b"x", 0.01)

    async def reply(writer: Writer) -> None:
        begun.set()
        await drip(writer)

    server = await serve(reply)
    client = await make_client(transport=wire, timeout=0.4)
    request = asyncio.create_task(client.fetch(job_for(server.url), Unbounded()))
    await begun.wait()
    await asyncio.sleep(0.05)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await asyncio.wait_for(server.dropped.wait(), 2)


async def test_both_wires_ask_for_the_same_codings(wire: str, serve: Any, make_client: Any, job_for: MakeJob) -> None:
    server = await serve(sized(b"hi"))
    await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert server.head("Accept-Encoding") == ACCEPT_ENCODING


@pytest.mark.parametrize("line", [b"no colon here", b"X-A : spaced"])
async def test_odd_header_lines_are_taken_as_browsers_take_them(
    line: bytes, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve(b"HTTP/1.1 200 OK\r\n" + line + b"\r\nContent-Length: 2\r\n\r\nhi")
    page = await (await make_client()).fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page)


async def test_a_location_that_is_not_ascii_is_followed_as_browsers_do(
    wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    server = await serve("HTTP/1.1 301 Moved\r\nLocation: /caf\u00e9\r\nContent-Length: 0\r\n\r\n".encode())
    answer = await (await make_client(transport=wire)).fetch(job_for(server.url), Unbounded())
    assert isinstance(answer, Redirect)
    assert answer.location == "/caf\u00e9"
