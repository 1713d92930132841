"""A reply kept in a WARC record, read back into what the network would have given. Reads an open file.

Archives differ in how they keep a body. It may be chunked still (wget, Heritrix), plain with the headers of the chunked
one (Common Crawl of old), or plain where the header says gzip: what the bytes show counts for more than the header.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import httpx

from scraper import weburl
from scraper.coding import CutError as BodyCutError
from scraper.coding import TooLargeError
from scraper.fetch.answer import BodyHead, read_head
from scraper.fetch.body import announced_length
from scraper.records import ArchivePlace, Exchange, Fault, Job, Page
from scraper.warcfile import READ_BYTES, ArchiveError, LengthError, Record, head_lines, open_record

MOST_SURPLUS = 1 << 20
"""Bytes behind a body that are looked through for the end of the record."""

_STATUS_LINE = re.compile(rb"(HTTP/\d(?:\.\d)?) +(\d{3})(?: .*)?\s*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
_CHUNK_LINE_BYTES = 4096
_MAGICS = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


class KeptReply:
    """A reply whose head was read; its body is still to come. Close it."""

    def __init__(self, file: BinaryIO, place: ArchivePlace) -> None:
        """Read the head of the reply at a place in `file`, which is taken over. Raises ArchiveError and OSError."""
        self._file = file
        file.seek(place.offset)
        record = open_record(file)
        if record is None or record.get("warc-type") != "response":
            raise ArchiveError("the reply is gone: the archive was changed while it was read")
        self._record = record
        lines = list(head_lines(record.read_line))
        self._head = b"".join((*lines, b"\r\n"))
        self._response = _response(record, lines)
        self.answer = self._judged()
        """What the head says; no redirect."""

    @property
    def size(self) -> int:
        """About how many bytes the body has."""
        return self._record.left

    @property
    def status(self) -> int:
        """The reply's status."""
        return self._response.status_code

    def page(self, job: Job, max_body: int, *, keep_head: bool) -> Page:
        """The whole page, its content coding as it was kept. Raises CodingError, ArchiveError and OSError."""
        record, response = self._record, self._response
        assert isinstance(self.answer, BodyHead)
        body = _body(record, response.headers, max_body)
        _check_end(record)
        return Page(
            url=job.target.url,
            final_url=_canonical(record.uri),
            status=self.status,
            content_type=response.headers.get("content-type", ""),
            body=body,
            fetched_at=seconds_of(record.get("warc-date")),
            extra=job.target.extra,
            coding=_coding_left(self.answer.coding, body),
            close_delimited=self.answer.close_delimited,
            etag=response.headers.get("etag", ""),
            modified=response.headers.get("last-modified", ""),
            exchange=Exchange(b"", self._head, record.get("warc-ip-address") or None) if keep_head else None,
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _judged(self) -> BodyHead | Fault:
        reason = self._record.get("warc-truncated")
        if reason or self._record.get("warc-segment-number"):
            return Fault("truncated", f"the archive has part of the reply ({reason or 'segmented'})", self.status)
        answer = read_head(self._response, 0.0)
        if isinstance(answer, BodyHead | Fault):
            return answer
        return Fault("protocol", "the archive was changed while it was read", self.status)


def _response(record: Record, lines: list[bytes]) -> httpx.Response:
    first = _STATUS_LINE.fullmatch(lines[0]) if lines else None
    if first is None:
        raise ArchiveError(f"no reply of HTTP: it begins with {lines[0][:40] if lines else b''!r}")
    is_2 = any(key == "warc-protocol" and value.lower().startswith("h2") for key, value in record.fields)
    extensions = {"http_version": b"HTTP/2" if is_2 else first[1]}
    # With a stream of its own httpx adds no header.
    stream = httpx.ByteStream(b"")
    return httpx.Response(int(first[2]), headers=_headers(lines[1:]), stream=stream, extensions=extensions)


def _headers(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    r"""(name, value) as they were kept; a line without a colon is left out.

    >>> _headers([b"A: b\r\n", b" c\r\n", b"odd\r\n"])
    [(b'A', b'b c')]
    """
    headers: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t") and headers:
            headers[-1][1].append(line.strip())
        elif colon:
            headers.append((name.strip(), [value.strip()]))
    return [(name, b" ".join(parts)) for name, parts in headers]


def _body(record: Record, headers: httpx.Headers, max_body: int) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _joined(_dechunked(record), max_body)
    length = announced_length(headers)
    if length is not None and length > record.left:
        raise BodyCutError(f"the archive has {record.left:,} of the body's {length:,} bytes")
    if record.left > max_body:
        raise TooLargeError(max_body)
    return record.read(record.left)


def _joined(pieces: Iterator[bytes], max_body: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > max_body:
            raise TooLargeError(max_body)
    return bytes(body)


def _dechunked(record: Record) -> Iterator[bytes]:
    """A body without its chunks (RFC 9112 section 7.1); one that does not begin with a chunk's size is none of them."""
    line = record.read_line(_CHUNK_LINE_BYTES)
    if not _CHUNK_SIZE.fullmatch(line):
        yield line
        while piece := record.read(READ_BYTES):
            yield piece
        return
    while size := _chunk_size(line):
        while size:
            piece = record.read(min(size, READ_BYTES))
            if not piece:
                raise BodyCutError("the chunked body ends too early")
            size -= len(piece)
            yield piece
        record.read_line(2)
        line = record.read_line(_CHUNK_LINE_BYTES)


def _chunk_size(line: bytes) -> int:
    found = _CHUNK_SIZE.fullmatch(line)
    if found is None:
        raise BodyCutError("the chunked body ends too early" if not line else "a chunk is not as long as it says")
    return int(found[1], 16)


def _check_end(record: Record) -> None:
    for number, _ in enumerate(record.finish()):
        if number * READ_BYTES > MOST_SURPLUS:
            raise LengthError("the record is longer than its Content-Length says")


def _coding_left(coding: str, body: bytes) -> str:
    """The coding that is left in a body, which some tools undo without changing the header."""
    magic = _MAGICS.get(coding)
    return "" if magic and body and not body.startswith(magic) else coding


def _canonical(uri: str) -> str:
    url = weburl.parse(uri)
    return uri if url is None else weburl.bare_href(url)


def seconds_of(date: str) -> float:
    """A WARC-Date as seconds since the epoch. Raises ArchiveError.

    >>> seconds_of("1970-01-01T00:00:01.5Z")
    1.5
    """
    try:
        moment = datetime.fromisoformat(date)
    except ValueError as exc:
        raise ArchiveError(f"WARC-Date {date[:40]!r} is no date") from exc
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
