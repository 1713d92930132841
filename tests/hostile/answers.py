"""Hostile and broken answers by name, as bytes or as what a server does: for tests of the client and of a whole run."""

import asyncio
import gzip
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable
from functools import cache, cached_property
from typing import Any

import brotli
from backports import zstd

Writer = asyncio.StreamWriter

HTML = b"<html>" + b"hello world " * 3000
GZIP = gzip.compress(HTML)
ZLIB = zlib.compress(HTML)
RAW_DEFLATE = zlib.compress(HTML, wbits=-15)
BROTLI = brotli.compress(HTML)
ZSTD = zstd.compress(HTML)
FIVE_CODINGS = zstd.compress(gzip.compress(zlib.compress(brotli.compress(GZIP))))


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
    "gzip twice": (coded("gzip, gzip", gzip.compress(GZIP)), HTML),
    "gzip twice in two headers": (
        sized(gzip.compress(GZIP), "Content-Encoding: gzip", "Content-Encoding: gzip"),
        HTML,
    ),
    "five codings": (coded("gzip, br, deflate, gzip, zstd", FIVE_CODINGS), HTML),
    "br": (coded("br", BROTLI), HTML),
    "zstd": (coded("zstd", ZSTD), HTML),
    "zstd in two frames": (coded("zstd", ZSTD + ZSTD), HTML + HTML),
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
    "gzip named twice in two headers": (sized(GZIP, "Content-Encoding: gzip", "Content-Encoding: gzip"), "decode"),
    "br named twice in two headers": (sized(BROTLI, "Content-Encoding: br", "Content-Encoding: br"), "decode"),
    "six codings": (coded(", ".join(["gzip"] * 6), GZIP), "decode"),
    "cut br": (coded("br", BROTLI[:-3]), "truncated"),
    "cut br, chunked": (chunked(BROTLI[:9], headers=("Content-Encoding: br",)), "truncated"),
    "cut zstd": (coded("zstd", ZSTD[:-3]), "truncated"),
    "cut inside of two codings": (coded("gzip, br", brotli.compress(GZIP[:-20])), "truncated"),
    "plain text named br": (coded("br", b"<html>" + BROTLI), "decode"),
    "plain text named zstd": (coded("zstd", b"<html>" + ZSTD), "decode"),
    "br bomb": (coded("br", brotli.compress(bytes(30_000_000), quality=1)), "too_large"),
    "zstd bomb": (coded("zstd", zstd.compress(bytes(30_000_000))), "too_large"),
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


def page(title: str, *more: bytes) -> bytes:
    """A small whole page."""
    return b"<!doctype html><title>" + title.encode() + b"</title><h1>" + title.encode() + b"</h1>" + b"".join(more)


def after(seconds: float, reply: bytes) -> Callable[[Writer], Awaitable[None]]:
    """A reply that comes late."""

    async def write(writer: Writer) -> None:
        await asyncio.sleep(seconds)
        writer.write(reply)
        await writer.drain()

    return write


async def silence(writer: Writer) -> None:
    """Nothing at all, until the client gives up."""
    await writer.wait_closed()


async def hang_up(writer: Writer) -> None:
    """The end, once what the client says first has come: before that the system answers with a reset."""
    await asyncio.sleep(0.1)


async def nothing_after_100(writer: Writer) -> None:
    writer.write(head(status="100 Continue"))
    await silence(writer)


class Made:
    """A reply that is large or slow to make: made once, when a server gets ready."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make

    @cached_property
    def content(self) -> bytes:
        return self._make()


def made(make: Callable[[], bytes], *headers: str, status: str = "200 OK") -> Made:
    """A large body of HTML."""
    return Made(lambda: sized(make(), "Content-Type: text/html", *headers, status=status))


def gzip_of_zeros(size: int) -> bytes:
    """A gzip with its checksum; `size`: a multiple of 1 MiB. One of 1 GiB is made in a second."""
    zeros, packer = bytes(1 << 20), zlib.compressobj(9, wbits=-15)
    one = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)  # what can be repeated
    checksum = 0
    for _ in range(size >> 20):
        checksum = zlib.crc32(zeros, checksum)
    return (
        gzip.compress(b"")[:10] + one * (size >> 20) + packer.flush() + struct.pack("<II", checksum, size & 0xFFFFFFFF)
    )


@cache
def brotli_of_zeros(size: int) -> bytes:
    return brotli.compress(bytes(size), quality=1)
