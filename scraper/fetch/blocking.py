"""The fetch stage for threads that have no loop: the same client, over wires that block. Nothing is decided here.

A coroutine that never suspends is a function: `complete` runs one to its end. So there is one client, and no
synchronous twin of it. What waits on a loop there, blocks here: the wire, the lookup, the deadline.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import TimeoutError as LateError
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
from pyreqwest.bytes import Bytes
from pyreqwest.client import SyncClientBuilder
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.request import SyncStreamRequest
from pyreqwest.response import SyncResponse

from scraper.fetch.body import is_short
from scraper.fetch.client import Client, Waits
from scraper.fetch.cookies import CookieJar, IsPublicSuffix
from scraper.fetch.httpx_wire import httpx_transport
from scraper.fetch.reqwest_errors import HEAD_TOO_LARGE, as_httpx
from scraper.fetch.resolver import AddressGuard, Answer, Lookup, look_up
from scraper.fetch.responses import StreamedResponse, WireHeaders
from scraper.fetch.tls import build_client, check_tls
from scraper.fetch.transport import READ_BYTES, builder_for, needed_header, request_builder
from scraper.fetch.wires import make_transport

if TYPE_CHECKING:
    from scraper.config import FetchConfig, NetworkConfig, PolitenessConfig

T = TypeVar("T")

CLOCKS_DIFFER_S = 0.05
"""reqwest's clock and ours, read one after the other."""
LOOKUP_S = 30.0
"""For a lookup that no deadline bounds."""


def blocking_client(
    fetch: "FetchConfig",
    politeness: "PolitenessConfig",
    network: "NetworkConfig",
    *,
    lookup: Lookup = look_up,
    keep_heads: bool = False,
) -> Client:
    """A client whose coroutines never suspend: for `complete`, on any number of threads at once."""
    check_tls(fetch)
    wire = BlockingTransport(fetch) if _is_plain(fetch) else OnOwnLoop(lambda: make_transport(fetch))
    waits = Waits(BlockingDeadline, BlockingGuard, LockedJar)
    return Client(fetch, politeness, network, transport=wire, lookup=lookup, keep_heads=keep_heads, waits=waits)


def _is_plain(fetch: "FetchConfig") -> bool:
    """Whether pyreqwest does it all: the other wires are asyncio's."""
    return fetch.transport == "pyreqwest" and fetch.verify_tls and not fetch.proxies


def complete(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends. RuntimeError for one that does.

    >>> async def add(a, b):
    ...     return a + b
    >>> complete(add(1, 2))
    3
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine that was to block has suspended")


class DeadlineOverError(BaseException):
    """The time of the innermost deadline is over. No `except Exception` on the way may take it for a page's fault."""


_thread = threading.local()


def seconds_left() -> float | None:
    """What is left to this thread, None without a deadline. Raises DeadlineOverError where nothing is."""
    deadline: BlockingDeadline | None = getattr(_thread, "deadline", None)
    return None if deadline is None else deadline.left()


def is_hurried() -> bool:
    """Whether this thread has a deadline within another one."""
    deadline: BlockingDeadline | None = getattr(_thread, "deadline", None)
    return deadline is not None and deadline.is_inner


class BlockingDeadline:
    """The shape of `deadline.Deadline`: nothing is cancelled, those who block ask how long they may."""

    def __init__(self, seconds: float) -> None:
        """Counts from now."""
        self._until = time.monotonic() + seconds
        self._outer: BlockingDeadline | None = None

    def __enter__(self) -> Self:
        """Hold for all that this thread does in the block."""
        self._outer = getattr(_thread, "deadline", None)
        _thread.deadline = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise TimeoutError where the time was over."""
        _thread.deadline = self._outer
        if kind is DeadlineOverError and (self._outer is None or not self._outer.is_over):
            raise TimeoutError from None

    @property
    def is_inner(self) -> bool:
        """It holds within another one."""
        return self._outer is not None

    @property
    def is_over(self) -> bool:
        """No time is left."""
        return self._until <= time.monotonic()

    def left(self) -> float:
        """The seconds left, of the outer deadline where that ends first. Raises DeadlineOverError where none are."""
        left = self._until - time.monotonic()
        if self._outer is not None:
            left = min(left, self._outer.left())
        if left <= 0:
            raise DeadlineOverError
        return left

    def pause(self) -> float:
        """The seconds that are left, for `resume`."""
        return self._until - time.monotonic()

    def resume(self, seconds: float) -> None:
        """Let the clock run on, with so many seconds left."""
        self._until = time.monotonic() + seconds


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Time in the block does not count for this thread's deadline."""
    deadline: BlockingDeadline | None = getattr(_thread, "deadline", None)
    left = deadline.pause() if deadline is not None else 0.0
    yield
    if deadline is not None:
        deadline.resume(left)


class BlockingGuard(AddressGuard):
    """Looks names up on the guard's threads, and waits there no longer than the deadline says."""

    async def _ask(self, host: str) -> Answer:
        pending = self._threads.submit(self._look_up, host, time.monotonic())
        try:
            answer = pending.result(seconds_left() or LOOKUP_S)
        except LateError:
            raise DeadlineOverError from None
        self._remember(host, answer)
        return answer


class LockedJar(CookieJar):
    """A jar for several threads."""

    def __init__(self, is_public_suffix: IsPublicSuffix) -> None:
        """It starts empty."""
        super().__init__(is_public_suffix)
        self._lock = threading.Lock()

    def store(self, href: str, lines: Iterable[str], now: float) -> None:
        """See `CookieJar`."""
        with self._lock:
            super().store(href, lines, now)

    def header_for(self, href: str, now: float) -> str:
        """See `CookieJar`."""
        with self._lock:
            return super().header_for(href, now)


class BlockingTransport(httpx.AsyncBaseTransport):
    """`transport.ReqwestTransport` over pyreqwest's synchronous client.

    reqwest's own timeout bounds a request from its start to its last byte. It cannot be put off: time in which a page
    waits for memory in mid-body counts here.
    """

    def __init__(self, config: "FetchConfig") -> None:
        """Connects with the first request."""
        self._config = config
        self._client = build_client(builder_for(SyncClientBuilder(), config), config)
        self._other_wire = OnOwnLoop(lambda: httpx_transport(config))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; blocks until the head of its answer is there."""
        exchange = self._exchange(request)
        try:
            answer = exchange.__enter__()
        except PyreqwestError as exc:
            error = _as_httpx(exc)
            if str(error) == HEAD_TOO_LARGE:
                return await self._other_wire.handle_async_request(request)
            raise error from exc
        headers = WireHeaders(answer.headers)
        if headers.is_unreadable(needed_header(answer.status)):
            exchange.__exit__(None, None, None)
            return await self._other_wire.handle_async_request(request)
        return StreamedResponse(answer.status, headers, _Body(exchange, answer, is_short(headers)), answer.version)

    async def aclose(self) -> None:
        """Close all connections."""
        self._client.close()
        await self._other_wire.aclose()

    def _exchange(self, request: httpx.Request) -> SyncStreamRequest:
        builder = request_builder(self._client, request, http2=self._config.http2)
        left = seconds_left()
        if left is not None:
            builder = builder.timeout(timedelta(seconds=left))
        return builder.streamed_read_buffer_limit(0).build_streamed()


class _Body(httpx.AsyncByteStream):
    """The body of one answer. Closing it before its end drops the connection."""

    def __init__(self, exchange: SyncStreamRequest, answer: SyncResponse, is_short: bool) -> None:
        self._exchange = exchange
        self._reader = answer.body_reader
        self._is_short = is_short
        self._ended = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        seconds_left()
        self._ended = self._is_short and not is_hurried()  # reqwest's clock knows the outermost deadline only
        try:
            piece = self._next()
        except PyreqwestError as exc:
            raise _as_httpx(exc) from exc
        if piece is None or (self._ended and not len(piece)):
            raise StopAsyncIteration
        return piece.to_bytes()

    def _next(self) -> Bytes | None:
        if self._ended:
            return self._reader.bytes()
        return self._reader.read_chunk() if is_hurried() else self._reader.read(READ_BYTES)

    async def aclose(self) -> None:
        self._exchange.__exit__(None, None, None)


def _as_httpx(exc: PyreqwestError) -> httpx.HTTPError:
    """The error as httpx has it. Raises DeadlineOverError where reqwest's clock was only the first to say so."""
    error = as_httpx(exc)
    left = seconds_left() if isinstance(error, httpx.TimeoutException) else None
    if left is not None and left < CLOCKS_DIFFER_S:
        raise DeadlineOverError from exc
    return error


class OnOwnLoop(httpx.AsyncBaseTransport):
    """Any asyncio wire, for threads without a loop: each runs one of its own, and waits on it."""

    pins_https = True

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        """`make` is called once on each thread that sends a request."""
        self._make = make
        self._mine = threading.local()
        self._all: list[tuple[asyncio.AbstractEventLoop, httpx.AsyncBaseTransport]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; blocks until the head of its answer is there."""
        loop, wire = self._own()
        response: httpx.Response = _run(loop, lambda: wire.handle_async_request(request))
        response.stream = _LoopedBody(loop, response)
        return response

    async def aclose(self) -> None:
        """Close all connections, but for those of threads that are at work. On a thread whose loop does not run."""
        for loop, wire in self._all:
            if not loop.is_running():
                loop.run_until_complete(wire.aclose())
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.close()

    def _own(self) -> tuple[asyncio.AbstractEventLoop, httpx.AsyncBaseTransport]:
        if not hasattr(self._mine, "pair"):
            with stopped_clock():  # reading the root certificates may take a while, and is not the server's doing
                self._mine.pair = (asyncio.new_event_loop(), self._make())
            self._all.append(self._mine.pair)
        pair: tuple[asyncio.AbstractEventLoop, httpx.AsyncBaseTransport] = self._mine.pair
        return pair


class _LoopedBody(httpx.AsyncByteStream):
    """A body whose pieces are awaited on the loop that sent the request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, response: httpx.Response) -> None:
        self._loop = loop
        assert isinstance(response.stream, httpx.AsyncByteStream)
        self._stream = response.stream
        self._pieces = self._stream.__aiter__()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece: bytes | None = _run(self._loop, lambda: anext(self._pieces, None))
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        self._loop.run_until_complete(self._stream.aclose())


def _run(loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[Any]]) -> Any:
    """What the loop gives, within the deadline of this thread."""

    async def bounded() -> Any:
        async with asyncio.timeout(seconds_left()):
            return await call()

    try:
        return loop.run_until_complete(bounded())
    except TimeoutError:
        raise DeadlineOverError from None
