"""Reading a body as it is sent: a limit on its bytes, and memory reserved as they arrive. Nothing is decoded here."""

from collections.abc import AsyncIterable
from typing import Protocol

import httpx

from scraper.coding import TooLargeError


class Reservation(Protocol):
    """The bytes of memory that a page holds."""

    def try_grow(self, n: int) -> bool:
        """Hold `n` bytes more if there is room now; gives whether there was."""

    async def grow(self, n: int) -> None:
        """Hold `n` bytes more, waiting until there is room."""


class Unbounded:
    """A reservation that is always granted."""

    def try_grow(self, n: int) -> bool:
        """Return True."""
        return True

    async def grow(self, n: int) -> None:
        """Return at once."""


SHORT_BYTES = 512 * 1024
"""Most pages are shorter. So much may be held for a body of announced length before it comes, and is then read in one
piece; a server that announces more and sends it slowly holds only what it has sent."""


def announced_length(headers: httpx.Headers) -> int | None:
    """The body's length as sent, by Content-Length; None where it is not announced, or not by a number.

    >>> announced_length(httpx.Headers({"Content-Length": "120"})), announced_length(httpx.Headers())
    (120, None)
    """
    length: str = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < 16 else None


def is_short(headers: httpx.Headers) -> bool:
    """Whether the body is announced with a length that may be held at once."""
    length = announced_length(headers)
    return length is not None and length <= SHORT_BYTES


async def read_body(
    stream: AsyncIterable[bytes],
    length: int | None,
    max_body: int,
    reservation: Reservation,
    *,
    cut_at: int | None = None,
) -> bytes:
    """The whole body as sent; of one longer than `cut_at` so many bytes, and the rest is left unread.

    `length`: as announced. Raises TooLargeError for more than `max_body` bytes, before they come where they are
    announced; with `cut_at` it never does. Wire exceptions pass through.
    """
    most = max_body if cut_at is None else cut_at
    if length is not None and length > most and cut_at is None:
        raise TooLargeError(max_body)
    ahead = await _hold_ahead(length, most, reservation)
    pieces, size = await _collect(stream, most, reservation, ahead)
    if size > most and cut_at is None:
        raise TooLargeError(max_body)
    body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    return body if cut_at is None else body[:cut_at]


async def _hold_ahead(length: int | None, most: int, reservation: Reservation) -> int:
    """Hold the memory of a short body before it comes; gives how much that is."""
    if length is None or length > min(SHORT_BYTES, most):
        return 0
    if not reservation.try_grow(length):
        await reservation.grow(length)
    return length


async def _collect(
    stream: AsyncIterable[bytes], most: int, reservation: Reservation, held: int
) -> tuple[list[bytes], int]:
    """The pieces and their size, up to the first with which that is more than `most`. `held`: bytes reserved before."""
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > held:
            if not reservation.try_grow(size - held):
                await reservation.grow(size - held)
            held = size
        pieces.append(piece)
        if size > most:
            break
    return pieces, size


async def drain(stream: AsyncIterable[bytes], limit: int) -> None:
    """Read what nobody wants, at most about `limit` bytes, so that the connection can be used again.

    Gives up without a word where that fails: the answer's head is known, and closing drops the connection.
    """
    received = 0
    try:
        async for data in stream:
            received += len(data)
            if received > limit:
                return
    except httpx.TransportError:
        return
