"""The fetch shell: a job in, one request out, a page, a redirect or a fault back.

It awaits and carries out; what an answer or an exception means is decided by the pure files beside it.
"""

import time
from collections.abc import AsyncIterable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import httpx
from msgspec.structs import replace

from scraper.coding import ACCEPT_ENCODING, TooLargeError, fault_for
from scraper.fetch.answer import BodyHead, read_head
from scraper.fetch.body import Reservation, drain, read_body
from scraper.fetch.cookies import CookieJar, new_jar
from scraper.fetch.deadline import Deadline
from scraper.fetch.faults import fault_of, is_for_another_address
from scraper.fetch.heads import exchange_of
from scraper.fetch.pinning import authority_of, urls_to_try
from scraper.fetch.requests import GetRequest, HeaderSheet, with_conditions, with_cookies
from scraper.fetch.resolver import AddressGuard, Lookup, look_up
from scraper.fetch.wires import make_transport
from scraper.records import Fault, Job, Page, Redirect

if TYPE_CHECKING:
    from scraper.config import FetchConfig, NetworkConfig, PolitenessConfig

DRAIN_BYTES = 64 * 1024
"""An error page or a redirect's body up to this size is read to its end: cheaper than a new connection."""
DRAIN_S = 1.0
"""And for so long; a server that drips its error page loses its connection."""
ROBOTS_BYTES = 500 * 1024
"""Of a robots.txt more is left unread (RFC 9309 section 2.5)."""


class Clock(Protocol):
    """A deadline around awaits; `deadline.Deadline` is one."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise TimeoutError where the time was over."""

    def pause(self) -> float:
        """Stop the clock; gives the seconds that are left."""

    def resume(self, seconds: float) -> None:
        """Let the clock run on."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How a client waits: on its loop, or by blocking its thread."""

    deadline: Callable[[float], Clock] = Deadline
    guard: type[AddressGuard] = AddressGuard
    jar: type[CookieJar] = CookieJar


WAITS = Waits()


class Client:
    """Fetches one hop at a time. An async context manager; belongs to one event loop."""

    def __init__(
        self,
        fetch: "FetchConfig",
        politeness: "PolitenessConfig",
        network: "NetworkConfig",
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        lookup: Lookup = look_up,
        keep_heads: bool = False,
        waits: Waits = WAITS,
    ) -> None:
        """`transport`: a wire to use instead of the one that `fetch.transport` names; closed with the client.

        `lookup`: finds the addresses of host names, the system's way by default. `keep_heads`: give each page its
        `exchange`, for an archive. `waits`: how to wait; a loop's way by default.
        """
        self._config = fetch
        self._wire = transport or make_transport(fetch)
        self._pins_https = getattr(self._wire, "pins_https", False)
        self._deadline = waits.deadline
        names_are_theirs = any(proxy.resolves_names for proxy in fetch.proxies)
        self._keep_heads = keep_heads
        self._guard = waits.guard(network.private_addresses, lookup, names_are_theirs=names_are_theirs)
        self._sheet = HeaderSheet(politeness.agent, ACCEPT_ENCODING, fetch.sent_headers)
        self._jar = new_jar(waits.jar) if fetch.cookies else None
        # The total deadline is ours. A wire counts the time to connect, which it alone can tell apart.
        self._timeout = httpx.Timeout(None, connect=fetch.connect_timeout).as_dict()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Connections are opened by the first requests."""
        await self._open.enter_async_context(self._guard)
        await self._open.enter_async_context(self._wire)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._open.aclose()

    async def addresses_of(self, host: str) -> tuple[str, ...]:
        """The addresses of a host; none where they cannot be found."""
        return await self._guard.addresses_of(host)

    async def fetch(self, job: Job, reservation: Reservation) -> Page | Redirect | Fault:
        """Make one request and read its answer, within what is left of the try's deadline.

        Time spent waiting in `reservation.grow` does not count. The caller keeps the reservation, whatever comes back.
        """
        started = time.monotonic()
        try:
            with self._deadline(self._config.timeout - job.spent_s) as deadline:
                answer = await self._fetch(job, _Paused(reservation, deadline), started)
        except TimeoutError:
            reason = f"no whole answer within fetch.timeout ({self._config.timeout:g} s)"
            return Fault("timeout", f"{reason}: try later, or raise it")
        if isinstance(answer, Redirect):
            return replace(answer, took_s=time.monotonic() - started)
        return answer

    async def _fetch(self, job: Job, reservation: Reservation, started: float) -> Page | Redirect | Fault:
        addresses = await self._guard.addresses(job)
        if isinstance(addresses, Fault):
            return addresses
        try:
            response = await self._send(job, addresses)
        except Exception as exc:  # a stage border: whatever a wire raises costs this URL and no other
            return fault_of(exc, in_body=False, wire=self._config.transport)
        if self._jar is not None:
            self._jar.store(job.url, response.headers.get_list("set-cookie"), time.time())
        try:
            return await self._read(job, response, reservation, started)
        except Exception as exc:
            fault = fault_of(exc, in_body=True, wire=self._config.transport)
            return replace(fault, status=response.status_code)
        finally:
            await response.aclose()

    async def _send(self, job: Job, addresses: tuple[str, ...]) -> httpx.Response:
        """The head of the answer, from the first address that can be connected to."""
        headers = self._sheet.headers_for(job, authority_of(job.url))
        if self._jar is not None:
            headers = with_cookies(headers, self._jar.header_for(job.url, time.time()))
        if job.target.known is not None:
            headers = with_conditions(headers, job.target.known)
        *others, (url, address) = urls_to_try(job, addresses, self._pins_https)
        for other_url, other in others:
            try:
                request = GetRequest(other_url, headers, self._timeout, other)
                response = await self._wire.handle_async_request(request)
                break
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                if not is_for_another_address(exc):
                    raise
                self._guard.prefer_others(job.host, other)
        else:
            request = GetRequest(url, headers, self._timeout, address)
            response = await self._wire.handle_async_request(request)
        if self._keep_heads:
            response.request = request
        return response

    async def _read(
        self, job: Job, response: httpx.Response, reservation: Reservation, started: float
    ) -> Page | Redirect | Fault:
        head_s = time.monotonic() - started
        stream = _stream_of(response)
        head = read_head(response, time.time())
        if not isinstance(head, BodyHead):
            await self._drain(stream)
            return head
        cut_at = ROBOTS_BYTES if job.target.robots_url else None
        try:
            body = await read_body(stream, head.length, self._config.max_body, reservation, cut_at=cut_at)
        except TooLargeError as error:
            return fault_for(error, response.status_code)
        page = _page(job, response, head, body, head_s)
        if not self._keep_heads:
            return page
        return replace(page, exchange=exchange_of(job, response, by_proxy=bool(self._config.proxy)))

    async def _drain(self, stream: AsyncIterable[bytes]) -> None:
        try:
            with self._deadline(DRAIN_S):
                await drain(stream, DRAIN_BYTES)
        except TimeoutError:
            return


class _Paused:
    """A reservation that stops the deadline while it waits for memory: that is our doing, not the server's."""

    __slots__ = ("_deadline", "_reservation", "try_grow")

    def __init__(self, reservation: Reservation, deadline: Clock) -> None:
        self._reservation = reservation
        self._deadline = deadline
        self.try_grow = reservation.try_grow  # nearly always enough, and then the timer is left alone

    async def grow(self, n: int) -> None:
        left_s = self._deadline.pause()
        await self._reservation.grow(n)
        self._deadline.resume(left_s)


def _stream_of(response: httpx.Response) -> httpx.AsyncByteStream:
    """The body as the wire gives it, past httpx's decoders, which inflate without a bound."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError(f"the transport gave a {type(response.stream).__name__}, expected an AsyncByteStream")
    return response.stream


def _page(job: Job, response: httpx.Response, head: BodyHead, body: bytes, head_s: float) -> Page:
    return Page(
        url=job.target.url,
        final_url=job.url,
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        body=body,
        fetched_at=time.time(),
        extra=job.target.extra,
        coding=head.coding,
        close_delimited=head.close_delimited,
        etag=response.headers.get("etag", ""),
        modified=response.headers.get("last-modified", ""),
        head_s=head_s,
    )
