"""Reading a body as it is sent: its limit, what is refused unread, and the memory held for it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from scraper.coding import TooLargeError
from scraper.fetch.body import SHORT_BYTES, Unbounded, announced_length, read_body


class Stream:
    """Gives pieces, and counts those that were asked for."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.given += 1
            yield piece


class Book:
    """A reservation that never has room at once, and writes down what it granted."""

    def __init__(self) -> None:
        self.held = 0

    def try_grow(self, n: int) -> bool:
        return False

    async def grow(self, n: int) -> None:
        self.held += n


@pytest.mark.parametrize(
    ("value", "length"),
    [("0", 0), ("120", 120), ("", None), ("-1", None), ("two", None), ("1" * 16, None)],
)
def test_announced_length(value: str, length: int | None) -> None:
    assert announced_length(httpx.Headers({"Content-Length": value})) == length


@pytest.mark.parametrize("length", [None, 6])
async def test_body_is_given_whole_and_its_bytes_are_held(length: int | None) -> None:
    book = Book()
    assert await read_body(Stream(b"ab", b"cdef"), length, 6, book) == b"abcdef"
    assert book.held == 6


async def test_body_in_one_piece_is_not_copied() -> None:
    piece = b"a" * 1000
    assert await read_body(Stream(piece), None, 1000, Unbounded()) is piece


async def test_body_announced_too_large_is_refused_unread() -> None:
    stream, book = Stream(b"a"), Book()
    with pytest.raises(TooLargeError):
        await read_body(stream, 7, 6, book)
    assert (stream.given, book.held) == (0, 0)


async def test_body_that_grows_too_large_is_left_where_it_does() -> None:
    stream = Stream(b"abc", b"def", b"g", b"h")
    with pytest.raises(TooLargeError):
        await read_body(stream, None, 6, Unbounded())
    assert stream.given == 3


async def test_long_body_holds_what_has_come_and_not_what_is_announced() -> None:
    book = Book()
    with pytest.raises(ConnectionError):
        await read_body(Breaking(b"abc"), SHORT_BYTES + 1, 1 << 30, book)
    assert book.held == 3


class Breaking(Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.pieces[0]
        raise ConnectionError


@pytest.mark.parametrize("length", [None, 8, 1 << 30])
async def test_body_cut_on_purpose_is_read_no_further(length: int | None) -> None:
    stream, book = Stream(b"abc", b"def", b"gh", b"never"), Book()
    assert await read_body(stream, length, 4, book, cut_at=4) == b"abcd"
    assert stream.given == 2
    assert book.held <= 6


async def test_body_shorter_than_where_it_would_be_cut_is_whole() -> None:
    assert await read_body(Stream(b"abc", b"def"), 6, 4, Unbounded(), cut_at=6) == b"abcdef"
