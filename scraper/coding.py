"""Content codings (RFC 9110 section 8.4): which we ask for, and how they are undone. Pure: bytes in, bytes out.

A body travels as it was sent to where it is read, as a rule a parse worker: what may grow a thousandfold is to grow
where time and memory are limited, and inflating is work. It is undone in bounded steps, the last coding first:

    body ─► last applied ─► ... ─► first applied ─► pieces

Why not the wires' own: httpx gives part of a page as whole when gzip or deflate is cut, and inflates without a bound;
pyreqwest drops every gzip member after the first, refuses raw deflate, and takes away the headers that say how the
body came. Why not the package zstandard: it bounds a step only as a file, and then gives a cut body as whole.
"""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol

import brotli
from msgspec.structs import replace

from scraper.records import FailureKind, Fault, Page

ACCEPT_ENCODING = "gzip, deflate, br, zstd"
"""What we ask for, on every wire."""
MOST_CODINGS = 5
"""One on top of the other, as in urllib3 since CVE-2025-66418: 200 layers were decoded before. One is usual."""
STEP_BYTES = 256 * 1024
"""About the most that one step gives (brotli rounds up to twice that): 64 bytes of gzip can hold 64 KiB."""
SLICE_BYTES = 64 * 1024
"""The most that one step takes: decoders copy what they do not use at once."""
MEMBER_SLICE_BYTES = 1024
"""The first slice of a further member. Slices double within it, so that a million small members take linear time."""
MOST_EMPTY = 1000
"""Members without content, in a row: they take time and give nothing, so no other limit would ever be met."""
ZSTD_WINDOW_LOG = 23
"""8 MiB, the most that a zstd body may ask a reader to hold (RFC 9659)."""

_GZIP_MAGICS = (b"\x1f\x8b",)
_ZSTD_MAGICS = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16)))
"""Of a frame, and of those to be skipped (RFC 8878 section 3.1)."""


class CodingError(Exception):
    """The body is not what its Content-Encoding says, or the coding is none that we asked for."""

    kind: FailureKind = "decode"
    advice = "the server sends what it does not announce; look at the page with curl -v"


class CutError(CodingError):
    """The coded body ended too early."""

    kind = "truncated"
    advice = "try later"


class TooLargeError(CodingError):
    """The body, or what it is between two of its codings, is larger than the given number of bytes."""

    kind = "too_large"
    advice = "raise it to get this page"

    def __str__(self) -> str:
        """The limit by its name."""
        return f"larger than fetch.max_body ({self.args[0]:,} bytes)"


def fault_for(error: CodingError, status: int) -> Fault:
    """What an error makes of its page."""
    return Fault(error.kind, f"{error}: {error.advice}", status)


def coding_of(content_encoding: str) -> str:
    """A Content-Encoding header in plain form, "" for a plain body; several headers come joined by commas.

    Raises CodingError for a coding that was not asked for, and for more than MOST_CODINGS.

    >>> coding_of("identity"), coding_of("X-GZIP,br")
    ('', 'gzip, br')
    """
    if not content_encoding or content_encoding in _DECODERS:
        return content_encoding
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    names = [name.removeprefix("x-") if name == "x-gzip" else name for name in names]
    if not all(name in _DECODERS for name in names):
        raise CodingError(f"Content-Encoding {content_encoding[:80]!r} is none of those asked for")
    if len(names) > MOST_CODINGS:
        raise CodingError(f"{len(names)} content codings one on top of the other, {MOST_CODINGS} are the most")
    return ", ".join(names)


def decoded(page: Page, max_body: int) -> Page | Fault:
    """The page with its body plain and whole, or why there is none: truncated, decode, too_large."""
    if not page.coding:
        return page
    try:
        body = b"".join(plain_pieces(page.body, page.coding, max_body))
    except CodingError as error:
        return fault_for(error, page.status)
    return replace(page, body=body, coding="")


def start_of(body: bytes, coding: str, most: int) -> bytes:
    """The first `most` bytes of a plain body, or as many as there are where the coded one was cut. Raises CodingError.

    >>> start_of(zlib.compress(b"User-agent: *")[:-2], "deflate", 4)
    b'User'
    """
    start = bytearray()
    with suppress(CutError):
        for piece in plain_pieces(body, coding, most + 2 * STEP_BYTES):
            start += piece
            if len(start) >= most:
                break
    return bytes(start[:most])


def plain_pieces(body: bytes, coding: str, limit: int) -> Iterator[bytes]:
    """The plain body piece by piece, each made when it is asked for. `coding`: as `coding_of` gives it.

    Raises CodingError, perhaps behind the last piece: what came before is then no page. Neither the plain body nor what
    it is between two codings may be larger than `limit`. A coded body without any byte is a plain one without any.
    """
    pieces: Iterator[bytes] = iter((body,))
    for name in reversed(coding.split(", ") if coding else ()):
        pieces = _within(limit, _undone(name, _Input(pieces)))
    return pieces


def _within(limit: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise TooLargeError(limit)
        yield piece


class _Input:
    """Coded bytes, to be taken in small slices."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")
        self._at = 0

    def take(self, most: int) -> memoryview:
        """The next bytes, none only at the end."""
        if self._at == len(self._piece):
            self._piece, self._at = memoryview(next(self._pieces, b"")), 0
        data = self._piece[self._at : self._at + most]
        self._at += len(data)
        return data

    def put_back(self, count: int) -> None:
        """Give the end of what was taken last another time."""
        self._at -= count

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end; they are given another time."""
        head = bytes(self._piece[self._at : self._at + count])
        while len(head) < count and (piece := next(self._pieces, b"")):
            self._piece, self._at = memoryview(bytes(self._piece[self._at :]) + piece), 0
            head = bytes(self._piece[:count])
        return head

    def drain(self) -> None:
        """Come to the end: only there it is known that the bytes are whole."""
        for _ in self._pieces:
            pass


def _undone(name: str, source: _Input) -> Iterator[bytes]:
    """One coding less. What follows its end is ignored, as browsers do: some servers send padding."""
    if source.peek(1):
        yield from _DECODERS[name](source)
    source.drain()


class _Stream(Protocol):
    """Python's interface of incremental decompressors, here for one member or frame. Raises CodingError."""

    @property
    def eof(self) -> bool:
        """The end mark was met."""

    @property
    def needs_input(self) -> bool:
        """Nothing more can be given without further bytes."""

    @property
    def unused_data(self) -> bytes:
        """What stood behind the end mark in the bytes given last."""

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        """About `max_length` bytes at most; `data` must be empty unless it needs input."""


def _read(source: _Input, stream: _Stream, name: str, slice_bytes: int = SLICE_BYTES) -> Iterator[bytes]:
    """All pieces of one stream, none empty."""
    while not stream.eof:
        data: bytes | memoryview = b""
        if stream.needs_input and not (data := source.take(slice_bytes)):
            raise CutError(f"the {name} body ended before its end mark")
        slice_bytes = min(2 * slice_bytes, SLICE_BYTES)
        if piece := stream.decompress(data, STEP_BYTES):
            yield piece
    source.put_back(len(stream.unused_data))


def _read_members(
    source: _Input, make_stream: Callable[[], _Stream], name: str, magics: tuple[bytes, ...]
) -> Iterator[bytes]:
    """All streams one behind the other, as gzip (RFC 1952 section 2.2) and zstd (RFC 8878 section 3) allow."""
    slice_bytes, empty, is_at_one = SLICE_BYTES, 0, True
    while is_at_one:
        empty += 1
        for piece in _read(source, make_stream(), name, slice_bytes):
            empty = 0
            yield piece
        if empty > MOST_EMPTY:
            raise CodingError(f"more than {MOST_EMPTY} empty members in the {name} body")
        slice_bytes, is_at_one = MEMBER_SLICE_BYTES, _is_at(source, name, magics)


def _is_at(source: _Input, name: str, magics: tuple[bytes, ...]) -> bool:
    """Whether another member begins. Raises CutError where that could not yet be told."""
    head = source.peek(len(magics[0]))
    if head in magics:
        return True
    if head and any(magic.startswith(head) for magic in magics):
        raise CutError(f"the {name} body ended inside a header")
    return False


class _Inflating:
    """zlib's decompressor with the interface of the others."""

    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        try:
            piece = self._stream.decompress(data or self._stream.unconsumed_tail, max_length)
        except zlib.error as exc:
            raise CodingError(f"the body cannot be inflated: {exc}") from exc
        self.needs_input = not self._stream.unconsumed_tail and len(piece) < max_length
        return piece


class _Unbrotling:
    """brotli's decompressor with the interface of the others; bytes behind its end are an error to it."""

    unused_data = b""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._stream.is_finished())

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        try:
            piece: bytes = self._stream.process(data, output_buffer_limit=max_length)
        except brotli.error as exc:
            raise CodingError("the body is no brotli") from exc
        self.needs_input = len(piece) < max_length and bool(self._stream.can_accept_more_data())
        return piece


class _Unzstding:
    """zstd's decompressor, which has that interface, with its own error for ours."""

    def __init__(self) -> None:
        if sys.version_info >= (3, 14):  # imported here: it takes 9 ms, and few servers send it
            from compression import zstd
        else:
            from backports import zstd

        self._error = zstd.ZstdError
        self._stream = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return self._stream.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        try:
            return self._stream.decompress(data, max_length)
        except self._error as exc:
            raise CodingError(f"the body is no zstd: {exc}") from exc


def _gunzip(source: _Input) -> Iterator[bytes]:
    return _read_members(source, lambda: _Inflating(31), "gzip", _GZIP_MAGICS)


def _inflate(source: _Input) -> Iterator[bytes]:
    """`deflate` as servers mean it: zlib (RFC 1950) or, as browsers take it too, raw (RFC 1951)."""
    head = source.peek(2)
    if len(head) < 2:
        raise CutError("the deflate body ended inside a header")
    return _read(source, _Inflating(15 if _has_zlib_header(head) else -15), "deflate")


def _has_zlib_header(head: bytes) -> bool:
    """RFC 1950 section 2.2: method 8 and a check on both bytes. No raw stream of a sound encoder begins so."""
    return head[0] & 0x0F == 8 and (head[0] << 8 | head[1]) % 31 == 0


def _unbrotli(source: _Input) -> Iterator[bytes]:
    return _read(source, _Unbrotling(), "br")


def _unzstd(source: _Input) -> Iterator[bytes]:
    return _read_members(source, _Unzstding, "zstd", _ZSTD_MAGICS)


_DECODERS: dict[str, Callable[[_Input], Iterator[bytes]]] = {
    "gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
