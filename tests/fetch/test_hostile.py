"""Hostile and broken answers on both wires: no cut page is whole, nothing is unbounded, each ends with its kind."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scraper.fetch.body import Unbounded
from scraper.records import Fault, Job, Page, Redirect

Writer = asyncio.StreamWriter
MakeJob = Callable[..., Job]

HTML = b"<html>" + b"hello world " * 3000
GZIP = gzip.compress(HTML)
ZLIB = zlib.compress(HTML)
RAW_DEFLATE = zlib.compress(HTML, wbits=-15)
# brotli and zstd of HTML, so that the tests need no encoder
BROTLI = bytes.fromhex("1ba58cf88d93257eafa404617bab32b42c6496c772810f4c7231a9d64e840000")
ZSTD = bytes.fromhex("28b52ffd64a68bd50000903c68746d6c3e68656c6c6f20776f726c642001002219d74b18f1df2af8")


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


def sized(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Length: {len(body)}", *headers, status=status) + body


def coded(coding: str, body: bytes) -> bytes:
    return sized(body, f"Content-Encoding: {coding}")


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n", headers: tuple[str, ...] = ()) -> bytes:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head("Transfer-Encoding: chunked", *headers) + chunks + end


def reset(writer: Writer) -> None:
    """Close with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_at_once(writer: Writer) -> None:
    reset(writer)


async def reset_in_the_body(writer: Writer) -> None:
    writer.write(head("Content-Length: 100") + b"hello")
    await writer.drain()
    await asyncio.sleep(0.05)  # the client must have read this part: a reset overtakes unread bytes
    reset(writer)


def forever(start: bytes, piece: bytes, pause_s: float = 0.0) -> Callable[[Writer], Awaitable[None]]:
    """A reply that goes on until the client drops the connection."""

    async def write(writer: Writer) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return write


WHOLE: dict[str, tuple[bytes, bytes]] = {
    "plain": (sized(b"hi"), b"hi"),
    "empty": (sized(b""), b""),
    "204": (head(status="204 No Content"), b""),
    "chunked": (chunked(b"he", b"llo"), b"hello"),
    "ended by closing": (head() + b"hello", b"hello"),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
    "after 103": (head(status="103 Early Hints") + sized(b"hi"), b"hi"),
    "gzip": (coded("gzip", GZIP), HTML),
    "gzip in two members": (coded("gzip", GZIP + GZIP), HTML + HTML),
    "gzip in two members, chunked": (chunked(GZIP, GZIP, headers=("Content-Encoding: gzip",)), HTML + HTML),
    "gzip with padding": (coded("gzip", GZIP + bytes(8)), HTML),
    "gzip, but empty": (coded("gzip", b""), b""),
    "deflate": (coded("deflate", ZLIB), HTML),
    "raw deflate": (coded("deflate", RAW_DEFLATE), HTML),
    "header that is not ASCII": (sized(b"hi", "X-A: caf\xe9"), b"hi"),
    "folded header": (sized(b"hi", "X-A: a", " folded"), b"hi"),
    "101 headers": (sized(b"hi", *(f"X-{n}: a" for n in range(101))), b"hi"),
    "1000 headers": (sized(b"hi", *(f"X-{n}: a" for n in range(1000))), b"hi"),
}

BROKEN: dict[str, tuple[Any, str]] = {
    "cut by Content-Length": (head("Content-Length: 50") + b"hello", "truncated"),
    "cut after a chunk": (chunked(b"hello", end=b""), "truncated"),
    "cut inside a chunk": (chunked(b"hello", end=b"10\r\nab"), "truncated"),
    "cut gzip": (coded("gzip", GZIP[:-30]), "truncated"),
    "gzip without its checksum": (coded("gzip", GZIP[:-8]), "truncated"),
    "cut second gzip member": (coded("gzip", GZIP + GZIP[:40]), "truncated"),
    "cut deflate": (coded("deflate", ZLIB[:-5]), "truncated"),
    "cut raw deflate": (coded("deflate", RAW_DEFLATE[:-5]), "truncated"),
    "cut gzip, ended by closing": (head("Content-Encoding: gzip") + GZIP[:40], "truncated"),
    "cut gzip, chunked": (chunked(GZIP[:40], headers=("Content-Encoding: gzip",)), "truncated"),
    "reset in the body": (reset_in_the_body, "truncated"),
    "plain text named gzip": (coded("gzip", b"<html>"), "decode"),
    "wrong gzip checksum": (coded("gzip", GZIP[:-8] + bytes(8)), "decode"),
    "gzip twice": (coded("gzip, gzip", gzip.compress(GZIP)), "decode"),
    "gzip twice in two headers": (sized(GZIP, "Content-Encoding: gzip", "Content-Encoding: gzip"), "decode"),
    "90 layers": (sized(GZIP, *["Content-Encoding: gzip"] * 90), "decode"),
    "unknown coding": (coded("snappy", b"x"), "decode"),
    "50,000 empty gzip members": (coded("gzip", gzip.compress(b"") * 50_000), "decode"),
    "gzip bomb": (coded("gzip", gzip.compress(bytes(30_000_000))), "too_large"),
    "endless body": (forever(head(), bytes(65536)), "too_large"),
    "endless chunks": (forever(head("Transfer-Encoding: chunked"), b"1000\r\n%s\r\n" % bytes(4096)), "too_large"),
    "closed without a word": (b"", "protocol"),
    "reset at once": (reset_at_once, "protocol"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol"),
    "HTTP/0.9": (b"<html>hi</html>", "protocol"),
    "letters for a status": (head(status="abc OK"), "protocol"),
    "NUL in a header": (sized(b"hi", "X-A: a\0b"), "protocol"),
    "1 MB header": (sized(b"hi", "X-A: " + "a" * 1_000_000), "protocol"),
    "endless headers": (forever(b"HTTP/1.1 200 OK\r\n", b"X-A: %s\r\n" % (b"a" * 1000)), "protocol"),
    "two lengths": (head("Content-Length: 2", "Content-Length: 3") + b"hix", "protocol"),
    "negative length": (head("Content-Length: -2") + b"hi", "protocol"),
    "letters for a length": (head("Content-Length: two") + b"hi", "protocol"),
    "bad chunk size": (chunked(b"hello", end=b"zz\r\n"), "protocol"),
    "gzip as transfer coding": (head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", "protocol"),
    "404": (sized(b"x", status="404 Not Found"), "http_status"),
    "304": (head(status="304 Not Modified"), "http_status"),
    "206": (sized(b"x", status="206 Partial Content"), "http_status"),
    "300 without Location": (sized(b"x", status="300 Multiple Choices"), "http_status"),
    "999": (sized(b"x", status="999 Request denied"), "http_status"),
    "two different Locations": (sized(b"", "Location: /a", "Location: /b", status="302 Found"), "bad_redirect"),
}

SLOW: dict[str, Any] = {
    "dripping head": forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", 0.02),
    "dripping body": forever(head(), b"x", 0.02),
    "dripping error page": forever(head("Content-Length: 9999", status="404 Not Found"), b"x", 0.02),
    "endless 103": forever(b"", head(status="103 Early Hints"), 0.01),
}


@pytest.mark.parametrize("case", WHOLE)
async def test_whole_pages_are_given_whole(
    case: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    reply, body = WHOLE[case]
    server = await serve(reply)
    client = await make_client(transport=wire)
    page = await client.fetch(job_for(server.url), Unbounded())
    assert isinstance(page, Page), page
    assert page.body == body


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_answers_end_with_their_kind(
    case: str, wire: str, serve: Any, make_client: Any, job_for: MakeJob
) -> None:
    reply, kind = BROKEN[case]
    server = await serve(reply)
    client = await make_client(transport=wire, max_body=1_000_000)
    fault = await client.fetch(job_for(server.url), Unbounded())
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
    client = await make_client(transport=wire, timeout=1.0)
    request = asyncio.create_task(client.fetch(job_for(server.url), Unbounded()))
    await begun.wait()
    await asyncio.sleep(0.05)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await asyncio.wait_for(server.dropped.wait(), 2)


@pytest.mark.parametrize(("coding", "packed"), [("br", BROTLI), ("zstd", ZSTD)], ids=["br", "zstd"])
class TestCodingsUndoneByTheWire:
    """Brotli and zstd: only pyreqwest's wire undoes them and asks for them."""

    async def test_whole(self, coding: str, packed: bytes, serve: Any, make_client: Any, job_for: MakeJob) -> None:
        server = await serve(coded(coding, packed))
        page = await (await make_client()).fetch(job_for(server.url), Unbounded())
        assert isinstance(page, Page), page
        assert page.body == HTML
        assert coding in server.head("Accept-Encoding")

    async def test_cut(self, coding: str, packed: bytes, serve: Any, make_client: Any, job_for: MakeJob) -> None:
        client = await make_client()
        for reply in (coded(coding, packed[:-3]), chunked(packed[:9], headers=(f"Content-Encoding: {coding}",))):
            server = await serve(reply)
            fault = await client.fetch(job_for(server.url), Unbounded())
            assert isinstance(fault, Fault)
            assert (fault.kind, fault.status) == ("truncated", 200)

    async def test_not_what_it_says(
        self, coding: str, packed: bytes, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(coded(coding, b"<html>" + packed))
        fault = await (await make_client()).fetch(job_for(server.url), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "decode"

    async def test_bomb(self, coding: str, packed: bytes, serve: Any, make_client: Any, job_for: MakeJob) -> None:
        server = await serve(coded(coding, packed))
        fault = await (await make_client(max_body=20_000)).fetch(job_for(server.url), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "too_large"

    async def test_other_wire_neither_asks_nor_takes(
        self, coding: str, packed: bytes, serve: Any, make_client: Any, job_for: MakeJob
    ) -> None:
        server = await serve(coded(coding, packed))
        fault = await (await make_client(transport="httpx")).fetch(job_for(server.url), Unbounded())
        assert isinstance(fault, Fault)
        assert fault.kind == "decode"
        assert coding not in server.head("Accept-Encoding")


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
