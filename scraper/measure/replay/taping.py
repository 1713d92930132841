"""A wire that keeps what comes over another one. It changes nothing of it."""

import time
from collections.abc import AsyncIterator, Callable

import httpx

from scraper.fetch.pinning import authority_of
from scraper.fetch.requests import GetRequest, target_of
from scraper.measure.replay.recording import Tape

ROBOTS = "/robots.txt"
"""What is read of it is all that counts, though there be more."""

Keep = Callable[[bytes], None]


class TapingWire(httpx.AsyncBaseTransport):
    """Any transport, with each answer put on a tape when its body has been read. An answer that was cut is not kept."""

    def __init__(self, wire: httpx.AsyncBaseTransport, tape: Tape) -> None:
        """The wire is closed with this one; the tape is not."""
        self._wire = wire
        self._tape = tape
        self.pins_https = getattr(wire, "pins_https", False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; see the wire."""
        started = time.monotonic()
        response = await self._wire.handle_async_request(request)
        head_at = time.monotonic()
        url, headers, status = url_asked(request), response.headers.multi_items(), response.status_code

        def keep(body: bytes) -> None:
            self._tape.add(url, status, headers, head_at - started, time.monotonic() - head_at, body)

        is_kept_cut = 300 <= status < 400 or url.endswith(ROBOTS)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # an AsyncBaseTransport gives no other
        response.stream = _TapedBody(response.stream, keep, is_kept_cut=is_kept_cut)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()


class _TapedBody(httpx.AsyncByteStream):
    """A body that is kept once it was read, or, where that is enough, once it is closed."""

    def __init__(self, body: httpx.AsyncByteStream, keep: Keep, *, is_kept_cut: bool) -> None:
        self._body = body
        self._keep: Keep | None = keep
        self._is_kept_cut = is_kept_cut
        self._pieces: list[bytes] = []

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._source = aiter(self._body)
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await anext(self._source)
        except StopAsyncIteration:
            self._keep_once()
            raise
        self._pieces.append(piece)
        return piece

    async def aclose(self) -> None:
        if self._is_kept_cut:
            self._keep_once()
        self._pieces.clear()
        await self._body.aclose()

    def _keep_once(self) -> None:
        keep, self._keep = self._keep, None
        if keep is not None:
            keep(b"".join(self._pieces))


def url_asked(request: httpx.Request) -> str:
    """The URL that was meant: a request to an address that was judged before has its host in a header.

    >>> url_asked(GetRequest("http://192.0.2.1/x?y", httpx.Headers({"host": "a.example"}), {}))
    'http://a.example/x?y'
    """
    href = request.href if isinstance(request, GetRequest) else str(request.url)
    host = request.headers.get("host") or authority_of(href)
    return f"{href.partition('://')[0]}://{host}{target_of(href).decode()}"
