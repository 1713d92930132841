"""Content codings undone in bounded steps (RFC 9110 section 8.4). Pure: bytes in, bytes out, no I/O.

Why not the wire's own: httpx gives part of a page as whole when gzip or deflate is cut, and inflates without a bound;
pyreqwest drops every gzip member after the first, in silence, and refuses raw deflate. Brotli and zstd are undone by
the pyreqwest wire, which takes the header away; here a coding that is still named is one we were not able to undo.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

STEP_BYTES = 256 * 1024
"""The most one step gives: 64 bytes of gzip can hold 64 KiB, so the caller must be able to stop between steps."""

MAX_MEMBERS = 1000
"""Empty gzip members cost time and give no bytes. Block-compressed files have one a 64 KiB: 256 in 16 MiB."""

_GZIP_MAGIC = b"\x1f\x8b"


class CodingError(Exception):
    """The body is not what its Content-Encoding says, or the coding is none that we asked for."""


class CutError(CodingError):
    """The coded body ended too early."""


class Decoder(Protocol):
    """Undoes one content coding."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most `STEP_BYTES`, none empty, made as they are asked for. Raises CodingError."""

    def finish(self) -> None:
        """Raises CutError unless the body was whole. A body without any byte is whole."""


def decoder_for(content_encoding: str) -> Decoder | None:
    """The decoder for a Content-Encoding header; None where the body is plain. Raises CodingError for others.

    >>> decoder_for("identity") is None
    True
    >>> decoder_for("X-GZIP")  # doctest: +ELLIPSIS
    <scraper.fetch.coding.GzipDecoder object at ...>
    """
    if not content_encoding:
        return None
    codings = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if not codings:
        return None
    if codings in (["gzip"], ["x-gzip"]):
        return GzipDecoder()
    if codings == ["deflate"]:
        return DeflateDecoder()
    raise CodingError(f"Content-Encoding {content_encoding[:80]!r} is none of those asked for")


class GzipDecoder:
    """RFC 1952: any number of members, each with its checksum; what follows the last and is no member is ignored.

    Ignoring it is what browsers, gzip and curl do with the padding that some servers add.
    """

    def __init__(self) -> None:
        """A decoder at the start of its first member."""
        self._member = zlib.decompressobj(wbits=31)
        self._members = 1
        self._held = b""
        self._began = False
        self._ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder.feed`."""
        self._began = self._began or bool(data)
        while data and not self._ended:
            if self._member.eof and not (data := self._next_member(data)):
                return
            yield from _inflate(self._member, data)
            data = self._member.unused_data

    def finish(self) -> None:
        """See `Decoder.finish`."""
        if self._began and not self._ended and not self._member.eof:
            raise CutError("the gzip body ended before its end mark")
        if self._held:
            raise CutError("the gzip body ended inside a header")

    def _next_member(self, data: bytes) -> bytes:
        """The bytes of the member that begins here; none where there is none, or where that is not yet known."""
        data, self._held = self._held + data, b""
        if data[:2] != _GZIP_MAGIC[: len(data)]:
            self._ended = True
            return b""
        if len(data) < len(_GZIP_MAGIC):
            self._held = data
            return b""
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise CodingError(f"more than {MAX_MEMBERS} gzip members")
        self._member = zlib.decompressobj(wbits=31)
        return data


class DeflateDecoder:
    """`deflate` as servers mean it: zlib (RFC 1950) or, as browsers take it too, raw (RFC 1951)."""

    def __init__(self) -> None:
        """A decoder that has not yet seen which of both forms it gets."""
        self._stream: zlib._Decompress | None = None
        self._held = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder.feed`."""
        if self._stream is None:
            data = self._held = self._held + data
            if len(data) < 2:
                return
            self._held = b""
            self._stream = zlib.decompressobj(wbits=15 if _has_zlib_header(data) else -15)
        if not self._stream.eof:
            yield from _inflate(self._stream, data)

    def finish(self) -> None:
        """See `Decoder.finish`."""
        if self._held or (self._stream is not None and not self._stream.eof):
            raise CutError("the deflate body ended before its end mark")


def _has_zlib_header(data: bytes) -> bool:
    """RFC 1950 section 2.2: method 8 and a check on both bytes; a raw stream passes it once in some 500."""
    return data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0


def _inflate(stream: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        try:
            piece = stream.decompress(data, STEP_BYTES)
        except zlib.error as exc:
            raise CodingError(f"the body cannot be inflated: {exc}") from exc
        if piece:
            yield piece
        data = stream.unconsumed_tail
        if stream.eof or (not data and len(piece) < STEP_BYTES):
            return
