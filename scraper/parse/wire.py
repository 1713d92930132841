"""Frames between the pool and a worker, as bytes. Pure; what they travel on is `pool.py`'s and `worker.py`'s matter.

    pool ─► worker    <u32 n> <n bytes: pickled Setup>                     once, at the start
                      <u32 n> <n bytes: msgpack list of PageHead> <bodies>  a batch; bodies one behind the other
    worker ─► pool    <u32 n> <n bytes: msgpack Results>                    any number for each batch, in page order

Bodies stand outside the msgpack so that neither side copies them into a larger buffer: the pool hands them to one
gathering write, the worker receives each into the bytes object that it parses. The input's other columns travel as
JSON inside it: they come from there, and msgpack knows no integer of more than 64 bits.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from scraper.records import Exchange, FailureKind, Page, Parsed, ParsePlan

LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs before its first page."""

    build: str
    """`module:callable` that makes the page handler from the plan."""
    plan: ParsePlan
    path: tuple[str, ...]
    """The parent's sys.path, so that the user's own modules are found."""
    timeout_s: float
    max_memory: int
    """Bytes of address space, 0 = no limit."""


class PageHead(msgspec.Struct, array_like=True, frozen=True):
    """A page without its body."""

    id: int
    url: str
    final_url: str
    status: int
    content_type: str
    fetched_at: float
    extra: bytes | None
    """JSON."""
    body_file: str | None
    coding: str
    close_delimited: bool
    exchange: Exchange | None
    size: int


class Result(msgspec.Struct, array_like=True, frozen=True):
    """The outcome of one page."""

    id: int
    row: bytes | None
    kind: FailureKind | None
    message: str
    content: int = 0

    @property
    def parsed(self) -> Parsed:
        """The record that the other stages know."""
        return Parsed(self.row, self.kind, self.message, self.content)


class Results(msgspec.Struct, array_like=True, frozen=True):
    """Some pages of a batch, done."""

    results: list[Result]
    busy_s: float
    """Seconds of wall time spent on them."""
    leaving: bool = False
    """The worker takes no further page and ends: it ran out of memory once, so its heap is not to be trusted."""
    broken: str = ""
    """Why the worker could not be set up; then it ends."""


UNSENDABLE = (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError)
"""What `batch_frames` raises for pages with a value that no frame can hold, such as text with half a surrogate pair."""

_encode = msgspec.msgpack.Encoder().encode
_decode_heads = msgspec.msgpack.Decoder(list[PageHead]).decode
_decode_results = msgspec.msgpack.Decoder(Results).decode


def batch_frames(pages: Sequence[tuple[int, Page]]) -> list[bytes]:
    """The pieces of one batch, to be written in this order. Raises UNSENDABLE."""
    heads = _encode([head_of(id, page) for id, page in pages])
    return [LENGTH.pack(len(heads)) + heads, *(page.body for _, page in pages)]


def why_unsendable(id: int, page: Page) -> str | None:
    """Why no frame can hold a page; None where one can."""
    try:
        _encode(head_of(id, page))
    except UNSENDABLE as exc:
        return f"the page cannot be handed to a parse worker: {type(exc).__name__}: {exc}"
    return None


def sendable(text: str) -> str:
    r"""The text with halves of surrogate pairs, which UTF-8 cannot carry, written out: an error may quote some.

    >>> sendable("a\ud800")
    'a\\ud800'
    """
    return text.encode("utf-8", "backslashreplace").decode()


def head_of(id: int, page: Page) -> PageHead:
    """A page's head, under the number the pool knows it by."""
    return PageHead(
        id,
        page.url,
        page.final_url,
        page.status,
        page.content_type,
        page.fetched_at,
        None if page.extra is None else msgspec.json.encode(page.extra),
        page.body_file,
        page.coding,
        page.close_delimited,
        page.exchange,
        len(page.body),
    )


def page_of(head: PageHead, body: bytes) -> Page:
    """The inverse of `head_of`."""
    return Page(
        head.url,
        head.final_url,
        head.status,
        head.content_type,
        body,
        head.fetched_at,
        None if head.extra is None else msgspec.json.decode(head.extra),
        head.body_file,
        head.coding,
        head.close_delimited,
        head.exchange,
    )


def read_heads(data: bytes) -> list[PageHead]:
    """The heads of a batch, from the msgpack part of its frame."""
    return _decode_heads(data)


def results_frame(results: Results) -> bytes:
    """Results as one frame."""
    data = _encode(results)
    return LENGTH.pack(len(data)) + data


class ResultReader:
    """Cuts a stream of bytes into results, however it was cut on the way."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Results]:
        """The frames that `data` completes."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= LENGTH.size:
            (size,) = LENGTH.unpack_from(buffer, start)
            end = start + LENGTH.size + size
            if len(buffer) < end:
                break
            with memoryview(buffer) as view, view[start + LENGTH.size : end] as frame:
                results = _decode_results(frame)
            start = end
            yield results
        del buffer[:start]
