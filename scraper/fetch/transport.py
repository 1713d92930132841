"""The wire by default: an httpx transport over pyreqwest. No job or page is known here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, overload

import httpx
from pyreqwest.bytes import Bytes
from pyreqwest.client import BaseClientBuilder, Client, ClientBuilder, SyncClient
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import RequestBuilder, StreamRequest, SyncRequestBuilder
from pyreqwest.response import Response

from scraper.fetch.body import is_short
from scraper.fetch.requests import GetRequest, Sheet
from scraper.fetch.reqwest_errors import HEAD_TOO_LARGE, as_httpx
from scraper.fetch.responses import StreamedResponse, WireHeaders
from scraper.fetch.tls import build_client
from scraper.openfiles import IDLE_S

if TYPE_CHECKING:
    from scraper.config import FetchConfig

SETTLE_S = 0.01
"""After closing, time for pyreqwest's thread to leave Python. It is never joined, and found inside when the interpreter
ends it aborts the process (seen once in 85 short runs)."""

READ_TRIES = 4
"""For so many times `fetch.timeout` a connection may outlive its try, and a page wait for memory in mid-body."""

READ_BYTES = 64 * 1024

T = TypeVar("T")
Builder = TypeVar("Builder", bound=BaseClientBuilder)


class ReqwestTransport(httpx.AsyncBaseTransport):
    """An httpx transport over pyreqwest (Rust: hyper, rustls). No redirects, cookies, referer or proxies.

    Bodies come as they were sent (scraper/coding.py says why). Of `request.extensions["timeout"]` only `read` counts,
    for the head and for each piece: the connect timeout belongs to the whole client, and there is no pool to wait for.
    """

    def __init__(self, config: "FetchConfig") -> None:
        """Connects with the first request. `config.most_concurrency`: idle connections kept for one host."""
        self._config = config
        self._client = build_client(builder_for(ClientBuilder(), config), config)
        self._other_wire: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request that has no body; the body of its answer is streamed. Raises httpx.TransportError."""
        read_s = request.extensions.get("timeout", {}).get("read")
        try:
            exchange = self._exchange(request)
            answer = await _within(read_s, exchange.__aenter__())
        except PyreqwestError as exc:
            error = as_httpx(exc)
            if str(error) == HEAD_TOO_LARGE:
                return await self._ask_again(request)
            raise error from exc
        headers = WireHeaders(answer.headers)
        if headers.is_unreadable(needed_header(answer.status)):
            await exchange.__aexit__(None, None, None)
            return await self._ask_again(request)
        body = _Body(exchange, answer, read_s, is_short(headers))
        return StreamedResponse(answer.status, headers, body, answer.version)

    async def aclose(self) -> None:
        """Close all connections; requests in flight fail."""
        await self._client.close()
        await asyncio.sleep(SETTLE_S)
        if self._other_wire is not None:
            await self._other_wire.aclose()

    def _exchange(self, request: httpx.Request) -> StreamRequest:
        builder = request_builder(self._client, request, http2=self._config.http2)
        # By default the first 64 KiB of the body would be awaited together with the head.
        return builder.streamed_read_buffer_limit(0).build_streamed()

    async def _ask_again(self, request: httpx.Request) -> httpx.Response:
        """The same request on httpx's wire, for answers that browsers take and pyreqwest cannot give.

        That is a Location or a Content-Encoding that is not ASCII, and a head of more than 100 lines.
        """
        if self._other_wire is None:
            from scraper.fetch.httpx_wire import httpx_transport  # httpcore takes 40 ms, and few runs need it

            self._other_wire = httpx_transport(self._config)
        return await self._other_wire.handle_async_request(request)


class _Body(httpx.AsyncByteStream):
    """The body of one answer. Closing it before its end drops the connection."""

    def __init__(self, exchange: StreamRequest, answer: Response, read_s: float | None, is_short: bool) -> None:
        """`is_short`: take the body in one piece, which spares one wake-up of the loop or two."""
        self._exchange = exchange
        self._reader = answer.body_reader
        self._read_s = read_s
        self._is_short = is_short
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        self._ended = self._is_short
        try:
            piece = await _within(self._read_s, self._reader.bytes() if self._is_short else self._next_piece())
        except PyreqwestError as exc:
            raise as_httpx(exc) from exc
        if piece is None or (self._ended and not len(piece)):
            raise StopAsyncIteration
        return piece.to_bytes()

    def _next_piece(self) -> Awaitable[Bytes | None]:
        return self._reader.read(READ_BYTES)

    async def aclose(self) -> None:
        await self._exchange.__aexit__(None, None, None)


@overload
def request_builder(client: Client, request: httpx.Request, *, http2: bool) -> RequestBuilder: ...
@overload
def request_builder(client: SyncClient, request: httpx.Request, *, http2: bool) -> SyncRequestBuilder: ...
def request_builder(
    client: Client | SyncClient, request: httpx.Request, *, http2: bool
) -> RequestBuilder | SyncRequestBuilder:
    """pyreqwest's form of a request."""
    href = request.href if isinstance(request, GetRequest) else str(request.url)
    headers = request.headers
    items = headers.items_for_wire if isinstance(headers, Sheet) else headers.multi_items()
    if http2 and href.startswith("https:"):
        items = [item for item in items if item[0] != "host"]  # hyper sends it, as :authority to HTTP/2 hosts
    return client.request(request.method, href).headers(items)


def needed_header(status: int) -> str:
    """The header without which an answer of this status cannot be understood."""
    return "location" if 300 <= status < 400 else "content-encoding"


def builder_for(builder: Builder, config: "FetchConfig") -> Builder:
    """The builder with the settings of [fetch] that are not TLS's."""
    return (
        builder.http2(config.http2)
        .gzip(False)
        .deflate(False)
        .brotli(False)
        .zstd(False)
        .follow_redirects(False)
        .referer(False)
        .default_cookie_store(False)
        .no_proxy()
        .connect_timeout(timedelta(seconds=config.connect_timeout))
        # Cancelling a request does not end it inside pyreqwest while its head is awaited: a server that drips its head
        # would hold the connection for ever. reqwest's read timeout covers the whole head, and then each read, the time
        # in which we wait for memory included: so it is longer than a try.
        .read_timeout(timedelta(seconds=READ_TRIES * config.timeout))
        .pool_max_idle_per_host(config.most_concurrency)
        .pool_idle_timeout(timedelta(seconds=IDLE_S))
        # Browsers are lenient with header lines, so are we.
        .http1_allow_obsolete_multiline_headers_in_responses(True)
        .http1_ignore_invalid_headers_in_responses(True)
        .http1_allow_spaces_after_header_name_in_responses(True)
    )


async def _within(read_s: float | None, reading: Awaitable[T]) -> T:
    if read_s is None:
        return await reading
    try:
        async with asyncio.timeout(read_s):
            return await reading
    except TimeoutError as exc:
        raise httpx.ReadTimeout(f"nothing came within {read_s:g} s") from exc
