"""httpx's own wire: an httpcore pool that connects to the address that was judged. No job or page is known here."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING

import httpcore
import httpx

from scraper.fetch.requests import GetRequest, target_of
from scraper.fetch.tls import tls_context
from scraper.openfiles import IDLE_S

if TYPE_CHECKING:
    from scraper.config import FetchConfig

SocketOptions = Iterable[httpcore.SOCKET_OPTION]

_judged: ContextVar[str] = ContextVar("judged", default="")
"""The address for the host of the request that this task is sending, "" where its name shall be looked up."""


def judged_address(host: str) -> str:
    """Where to connect for a host: httpcore connects in the task of the request, with the name in hand."""
    return _judged.get() or host


class PinnedBackend(httpcore.AnyIOBackend):
    """Connects to the judged address. The pool, SNI and the certificate check still see the name.

    Putting the address into the URL instead, with httpcore's `sni_hostname`, would make one pool entry of all names on
    that address: the next name would be asked of a connection whose certificate was checked for another.
    """

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own signature
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect; see httpcore."""
        return await super().connect_tcp(judged_address(host), port, timeout, local_address, socket_options)


class HttpxTransport(httpx.AsyncHTTPTransport):
    """httpx's own wire, sending the path as the href has it: `httpx.URL` would escape it in its own way."""

    pins_https = True
    """An https request may name the address to connect to."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        """`pool` is taken over. httpx's own constructor cannot be told how to connect."""
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; see httpx."""
        await self._drop_poisoned()
        if not isinstance(request, GetRequest):
            return await super().handle_async_request(request)
        request.extensions = {**request.extensions, "target": target_of(request.href)}
        token = _judged.set(request.address)
        try:
            return await super().handle_async_request(request)
        finally:
            _judged.reset(token)

    async def _drop_poisoned(self) -> None:
        """Close idle connections on which more came than the answer: httpcore would take it for the next one's answer.

        It closes only those whose socket has more to give, not those where that was read with the end of the answer.
        """
        for connection in [found for found in self._pool.connections if found.is_idle() and _has_leftovers(found)]:
            await connection.aclose()


def _has_leftovers(connection: object) -> bool:
    """httpcore has no public way to ask; the hostile server in the tests tells if this one stops working."""
    parser = getattr(getattr(connection, "_connection", None), "_h11_state", None)
    return parser is not None and bool(parser.trailing_data[0])


def make_pool(config: "FetchConfig", backend: httpcore.AsyncNetworkBackend) -> httpcore.AsyncConnectionPool:
    """A pool that never queues: the scheduler gates, so each request finds a connection."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls_context(config),
        max_connections=config.most_concurrency,
        max_keepalive_connections=config.most_concurrency,
        keepalive_expiry=IDLE_S,
        http2=config.http2,
        network_backend=backend,
    )


def httpx_transport(config: "FetchConfig") -> HttpxTransport:
    """The wire straight to the hosts. Raises ConfigError for files of TLS that cannot be used."""
    return HttpxTransport(make_pool(config, PinnedBackend()))
