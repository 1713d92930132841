"""Content codings: any bytes decode in bounded steps or raise CodingError, and no part of a body is given as whole."""

import gzip
import sys
import zlib
from collections.abc import Callable

import brotli

from fuzz.shaping import bounded, grown
from scraper.coding import STEP_BYTES, CodingError, CutError, coding_of, plain_pieces

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMIT = 1 << 20

ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 1, mtime=0),
    "deflate": lambda body: zlib.compress(body, 1),
    "br": lambda body: brotli.compress(body, quality=1),
    "zstd": lambda body: zstd.compress(body, level=1),
}
"""Quick, not small."""

PLAIN = b"<p>hello hello hello"
SEEDS = (
    b"\0\x80gzip\n" + gzip.compress(PLAIN, mtime=0),
    b"\0\x80gzip\n" + gzip.compress(PLAIN, mtime=0)[:-9],
    b"\0\x01gzip\n" + gzip.compress(b"", mtime=0) + gzip.compress(PLAIN, mtime=0),
    b"\0\x40deflate\n" + zlib.compress(PLAIN),
    b"\0\x40deflate\n" + zlib.compress(PLAIN, wbits=-15),
    b"\0\xc0br\n" + brotli.compress(PLAIN),
    b"\0\xc0zstd\n" + zstd.compress(PLAIN),
    b"\0\xf0zstd, gzip\n" + gzip.compress(zstd.compress(PLAIN), mtime=0),
    b"\0\xf0br, br\n" + brotli.compress(brotli.compress(bytes(100_000))),
    b"\0\xfex-gzip,identity, deflate,,br ,zstd,gzip\n" + PLAIN,
    b"\xff\x80gzip\n" + gzip.compress(b"", mtime=0),
    b"\xff\x80gzip, gzip, gzip, gzip, gzip\n\x1f",
)


def check(data: bytes) -> None:
    """`data`: see `grown`, with a header before what is repeated.

    The second byte says where a body is cut, then comes Content-Encoding up to the first line end, then the body.
    """
    if len(data) < 2:
        return
    header, _, body = data[2:].partition(b"\n")
    body = grown(data[:1] + body)
    try:
        coding = coding_of(header.decode("latin-1"))
    except CodingError:
        return
    with bounded():
        _check_any_bytes(body, coding)
    _check_cut(body, coding, data[1])


def _check_any_bytes(body: bytes, coding: str) -> None:
    size, words = 0, "none"
    try:
        for piece in plain_pieces(body, coding, LIMIT):
            assert 0 < len(piece) <= 2 * STEP_BYTES or not coding
            size += len(piece)
    except CodingError as exc:
        words = f"{exc}"
    assert words
    assert size <= LIMIT


def _check_cut(body: bytes, coding: str, where: int) -> None:
    """What is encoded comes back whole; cut anywhere but before its first byte, it is whole or known to be cut."""
    coded = body
    for name in coding.split(", ") if coding else ():
        coded = ENCODERS[name](coded)
    assert b"".join(plain_pieces(coded, coding, LIMIT)) == body
    if coding:
        _check_whole_or_cut(coded[: 1 + where * (len(coded) - 1) // 256], coding, body)


def _check_whole_or_cut(coded: bytes, coding: str, body: bytes) -> None:
    try:
        given = b"".join(plain_pieces(coded, coding, LIMIT))
    except CutError:
        return
    assert given == body, f"{len(given)} bytes of {len(body)} given as the whole"
