"""The wire through one proxy or several that take turns. rotation.py decides whose turn it is."""

import time
from typing import TYPE_CHECKING

import httpx

from scraper.config.proxy import Proxy
from scraper.fetch.faults import ProxyFailed
from scraper.fetch.httpx_wire import HttpxTransport, make_pool
from scraper.fetch.requests import GetRequest, Sheet
from scraper.fetch.rotation import Rotation
from scraper.fetch.tls import proxy_context
from scraper.fetch.tunnel import FORWARD_HOST, TunnelBackend, proxy_authorization, refused_login

if TYPE_CHECKING:
    from scraper.config import FetchConfig

_FORWARD = httpx.URL(f"http://{FORWARD_HOST}/")


class ProxyWire(httpx.AsyncBaseTransport):
    """The wire through one proxy: plain http is handed over to it (unless it is a SOCKS one), https tunnelled."""

    def __init__(self, config: "FetchConfig", proxy: Proxy) -> None:
        """Connects with the first request."""
        self.proxy = proxy
        self._tunnels = HttpxTransport(make_pool(config, TunnelBackend(proxy, proxy_context(config))))
        self._login = proxy_authorization(proxy)
        self._forwards = proxy.scheme in ("http", "https")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises ProxyFailed where the proxy is to blame."""
        if isinstance(request, GetRequest) and self._forwards and request.href.startswith("http:"):
            return await self._forward(request)
        return await self._tunnels.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._tunnels.aclose()

    async def _forward(self, request: GetRequest) -> httpx.Response:
        """Ask the proxy for the whole URL (absolute form, RFC 9112 section 3.2.2)."""
        headers = Sheet(request.headers)
        if self._login:
            headers["Proxy-Authorization"] = self._login
        asked = httpx.Request(
            "GET", _FORWARD, extensions={**request.extensions, "target": request.href.encode("ascii")}
        )
        asked.headers = headers
        response = await self._tunnels.handle_async_request(asked)
        if response.status_code != 407:
            return response
        await response.aclose()
        raise refused_login(self.proxy)


class RotatingTransport(httpx.AsyncBaseTransport):
    """The wire through the proxies of `fetch.proxy`."""

    pins_https = True
    """A socks5 proxy is given the address; the others are given none to begin with."""

    def __init__(self, config: "FetchConfig") -> None:
        """`config.proxies` must not be empty."""
        self._wires = [ProxyWire(config, proxy) for proxy in config.proxies]
        self._rotation = Rotation(len(self._wires))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the next proxy, and through another where that one fails. Raises ProxyFailed."""
        tried: dict[int, ProxyFailed] = {}
        while (index := self._rotation.choose(time.monotonic(), tried)) is not None:
            try:
                return await self._send(index, request)
            except ProxyFailed as exc:
                tried[index] = exc
        raise self._all_cooling(list(tried.values()))

    async def aclose(self) -> None:
        """Close all connections."""
        for wire in self._wires:
            await wire.aclose()

    async def _send(self, index: int, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._wires[index].handle_async_request(request)
        except ProxyFailed:
            self._rotation.failed(index, time.monotonic())
            raise
        except httpx.ConnectError:  # the proxy's own word: the host cannot be reached
            self._rotation.worked(index, time.monotonic())
            raise
        except httpx.TimeoutException:
            self._rotation.doubted(index, time.monotonic())
            raise
        self._rotation.worked(index, time.monotonic())
        return response

    def _all_cooling(self, failures: list[ProxyFailed]) -> ProxyFailed:
        wait_s = self._rotation.wait_s(time.monotonic())
        reason = f"{failures[-1]}; " if failures else ""
        who = "the proxy of fetch.proxy is" if len(self._wires) == 1 else f"all {len(self._wires)} of fetch.proxy are"
        return ProxyFailed(f"{reason}{who} left alone for {wait_s:.0f} s after failing: see whether it runs", wait_s)
