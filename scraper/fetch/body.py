"""Reading a body: a limit on its bytes, and memory reserved as they arrive. What is cut or coded wrongly is no body."""

from collections.abc import AsyncIterable
from typing import Protocol

import httpx

from scraper.fetch.coding import CodingError, CutError, Decoder, decoder_for
from scraper.records import Fault


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
    stream: AsyncIterable[bytes], headers: httpx.Headers, max_body: int, reservation: Reservation
) -> bytes | Fault:
    """The whole decoded body, or why there is none: too_large, truncated, decode. Wire exceptions pass through."""
    try:
        decoder = decoder_for(headers.get("content-encoding", ""))
        ahead = await _hold_ahead(headers, max_body, reservation)
        pieces = await _collect(stream, decoder, max_body, reservation, ahead)
    except CutError as exc:
        return Fault("truncated", f"{exc}: try later")
    except CodingError as exc:
        return Fault("decode", f"{exc}: the server sends what it does not announce; look at the page with curl -v")
    if pieces is None:
        return Fault("too_large", f"larger than fetch.max_body ({max_body:,} bytes): raise it to get this page")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _hold_ahead(headers: httpx.Headers, max_body: int, reservation: Reservation) -> int:
    """Hold the memory of a short body before it comes; gives how much that is."""
    length = announced_length(headers)
    if length is None or length > min(SHORT_BYTES, max_body):
        return 0
    if not reservation.try_grow(length):
        await reservation.grow(length)
    return length


async def _collect(
    stream: AsyncIterable[bytes], decoder: Decoder | None, max_body: int, reservation: Reservation, held: int
) -> list[bytes] | None:
    """The decoded pieces; None as soon as the limit is passed. `held`: bytes reserved for them beforehand.

    Bytes are counted on both sides of the decoder: coded ones that decode to nothing could otherwise go on for ever.
    """
    pieces: list[bytes] = []
    received = decoded = 0
    async for data in stream:
        received += len(data)
        for piece in (data,) if decoder is None else decoder.feed(data):
            decoded += len(piece)
            if decoded > max_body:
                return None
            if decoded > held:
                if not reservation.try_grow(decoded - held):
                    await reservation.grow(decoded - held)
                held = decoded
            pieces.append(piece)
        if received > max_body:
            return None
    if decoder is not None:
        decoder.finish()
    return pieces


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
