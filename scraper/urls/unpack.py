"""gzip and UTF-16 taken off a list's bytes, as they come. Pure.

Both are known by their first bytes, not by the file's name: standard input has none, and a browser that unpacks a
download may leave `.gz` on it.
"""

import codecs
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from scraper.errors import SourceError

PIECE_BYTES = 1 << 15
"""Largest piece unpacked at once: some 600 lines, 1 to 3 ms of the reading thread."""

_HEAD_BYTES = 8
_REFUSED = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; save the table as CSV",
    b"SQLite f": "an SQLite database",
    b"PAR1": "a Parquet file; convert it to .jsonl or .csv",
    b"WARC/": "a WARC archive: name it .warc or .warc.gz, or say --source-format warc",
    b"BZh": "packed with bzip2; unpack it first: bzip2 -dc FILE | scraper run -",
    b"\xfd7zXZ": "packed with xz; unpack it first: xz -dc FILE | scraper run -",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it first: zstd -dc FILE | scraper run -",
}


class Unpacker:
    """Gives a list's bytes as UTF-8 in pieces of bounded size, whatever they expand to."""

    def __init__(self, name: str) -> None:
        """`name`: the list's name, for the SourceError raised where the bytes are of no text at all."""
        self._name = name
        self._packed = _Layer(lambda head: _Gunzip() if head.startswith(b"\x1f\x8b") else _AsIs())
        self._encoded = _Layer(self._charset_of)
        self.damage: str | None = None
        """Why a gzip is cut or wrong. What was given is right; what follows, and up to 32 KiB before, is lost."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes of the file; after a damage they are ignored."""
        if self.damage is None:
            yield from self._decode(self._packed.feed(data))

    def finish(self) -> Iterator[bytes]:
        """Give what was held back: the file has ended."""
        if self.damage is None:
            yield from self._decode(self._packed.finish())
        yield from self._encoded.finish()

    def _decode(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            for piece in pieces:
                yield from self._encoded.feed(piece)
        except _DamageError as exc:
            self.damage = str(exc)

    def _charset_of(self, head: bytes) -> "_Codec":
        for magic, what in _REFUSED.items():
            if head.startswith(magic):
                raise SourceError(f"{self._name} is no list of URLs but {what}")
        is_utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return _Utf16() if is_utf_16 else _AsIs()


class _DamageError(Exception):
    """The packed bytes are cut or wrong."""


class _Codec(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finish(self) -> Iterator[bytes]: ...


class _Layer:
    """One codec, chosen by the first bytes."""

    def __init__(self, choose: Callable[[bytes], _Codec]) -> None:
        self._choose = choose
        self._head = b""
        self._codec: _Codec | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._codec is None:
            self._head += data
            if len(self._head) < _HEAD_BYTES:
                return
            self._codec, data = self._choose(self._head), self._head
        yield from self._codec.feed(data)

    def finish(self) -> Iterator[bytes]:
        if self._codec is None:
            self._codec = self._choose(self._head)
            yield from self._codec.feed(self._head)
        yield from self._codec.finish()


class _AsIs:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> Iterator[bytes]:
        yield from ()


class _Utf16:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield self._decoder.decode(data).encode()

    def finish(self) -> Iterator[bytes]:
        yield self._decoder.decode(b"", final=True).encode()


class _Gunzip:
    """RFC 1952: one member after the other, zero bytes after the last are padding. Bombs come out in bounded pieces."""

    def __init__(self) -> None:
        self._member: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._member is None:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=31)
            try:
                piece = self._member.decompress(data, PIECE_BYTES)
            except zlib.error as exc:
                raise _DamageError(f"the gzip data is damaged here: {exc}") from exc
            if piece:
                yield piece
            data = self._after(self._member)

    def finish(self) -> Iterator[bytes]:
        if self._member is not None:
            raise _DamageError("the gzip data ends here, before its end: the file is cut")
        yield from ()

    def _after(self, member: "zlib._Decompress") -> bytes:
        if not member.eof:
            return member.unconsumed_tail
        self._member = None
        return member.unused_data
