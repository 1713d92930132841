"""Which wire a run uses, as its settings ask. httpcore takes 40 ms to import: its wires wait for who needs them."""

from typing import TYPE_CHECKING

import httpx

from scraper.fetch.requests import GetRequest
from scraper.fetch.transport import ReqwestTransport

if TYPE_CHECKING:
    from scraper.config import FetchConfig


def make_transport(config: "FetchConfig") -> httpx.AsyncBaseTransport:
    """The wire for [fetch]; close it with `aclose`. Raises ConfigError for files of TLS that cannot be used.

    A wire that has `pins_https` connects to a request's address for https too.
    """
    if config.proxies:
        from scraper.fetch.proxied import RotatingTransport

        return RotatingTransport(config)
    if config.transport == "httpx":
        from scraper.fetch.httpx_wire import httpx_transport

        return httpx_transport(config)
    return ReqwestTransport(config) if config.verify_tls else UncheckedTransport(config)


class UncheckedTransport(httpx.AsyncBaseTransport):
    """pyreqwest's wire where certificates are not checked, less what it cannot do: https to a name, at an address.

    With certificates a host that was swapped after the address was judged is found out. Without, only the address
    keeps us from it; pyreqwest takes addresses for the whole client only, so such requests go over httpx's wire.
    """

    pins_https = True

    def __init__(self, config: "FetchConfig") -> None:
        """Connects with the first request."""
        from scraper.fetch.httpx_wire import httpx_transport

        self._wire = ReqwestTransport(config)
        self._pinned = httpx_transport(config)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; see the two wires."""
        is_pinned = isinstance(request, GetRequest) and request.address
        return await (self._pinned if is_pinned else self._wire).handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()
        await self._pinned.aclose()
