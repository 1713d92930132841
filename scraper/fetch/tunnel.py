"""Connections through a proxy: CONNECT (RFC 9110 section 9.3.6) and SOCKS 5. What is the proxy's fault shows here."""

import asyncio
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import httpx

from scraper.config.proxy import Proxy
from scraper.fetch import socks
from scraper.fetch.faults import ProxyFailed
from scraper.fetch.httpx_wire import SocketOptions, judged_address

FORWARD_HOST = "forward.invalid"
"""A host no DNS has (RFC 6761): connecting to it means the proxy itself, which plain http requests are sent to."""

MOST_HEAD_BYTES = 16 * 1024
"""Of a proxy's answer to CONNECT."""

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")

Stream = httpcore.AsyncNetworkStream


def proxy_authorization(proxy: Proxy) -> str | None:
    """The Proxy-Authorization header (RFC 7617), None where the proxy asks for nobody's name."""
    if proxy.username is None:
        return None
    return "Basic " + b64encode(f"{proxy.username}:{proxy.password}".encode()).decode("ascii")


class TunnelBackend(httpcore.AnyIOBackend):
    """Connects to hosts through one proxy, so that a pool above knows nothing of it."""

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext) -> None:
        """`tls`: for a proxy that is spoken to over https."""
        self._proxy = proxy
        self._tls = tls

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own signature
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> Stream:
        """A stream to the host. Raises ProxyFailed; httpx.ConnectError where the proxy cannot or will not reach it.

        `timeout` counts twice: for reaching the proxy, and for what the proxy does to reach the host.
        """
        stream = await self._reach_proxy(timeout)
        if host == FORWARD_HOST:
            return stream
        try:
            async with self._asking(timeout):
                await self._dig(stream, host, port)
        except BaseException:
            await stream.aclose()
            raise
        return stream

    async def _reach_proxy(self, within_s: float | None) -> Stream:
        try:
            stream = await super().connect_tcp(self._proxy.host, self._proxy.port, within_s)
            if self._proxy.scheme != "https":
                return stream
            self._tls.set_alpn_protocols(["http/1.1"])
            return await stream.start_tls(self._tls, self._proxy.host, within_s)
        except httpcore.ConnectTimeout:
            raise ProxyFailed(f"{self._proxy}: no connection within fetch.connect_timeout") from None
        except httpcore.ConnectError as exc:
            raise ProxyFailed(f"{self._proxy}: cannot be connected to ({exc})") from exc

    @asynccontextmanager
    async def _asking(self, within_s: float | None) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError:
            raise httpx.ConnectTimeout(f"{self._proxy}: no connection to the host") from None
        except (httpcore.NetworkError, EOFError) as exc:
            raise ProxyFailed(f"{self._proxy}: closed the connection instead of answering") from exc

    async def _dig(self, stream: Stream, host: str, port: int) -> None:
        if self._proxy.scheme in ("http", "https"):
            await self._connect(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
            return
        await self._log_in(stream)
        await stream.write(socks.connect(judged_address(host), port))
        start = await _read_exactly(stream, 5)
        rest = socks.rest_of_reply(start)
        if rest is None:
            raise ProxyFailed(f"{self._proxy}: does not speak SOCKS 5")
        await _read_exactly(stream, rest)
        if reason := socks.refusal(start[1]):
            raise httpx.ConnectError(f"{self._proxy} does not reach the host: {reason}")

    async def _log_in(self, stream: Stream) -> None:
        proxy = self._proxy
        await stream.write(socks.greeting(proxy.username is not None))
        version, method = await _read_exactly(stream, 2)
        if version != socks.VERSION:
            raise ProxyFailed(f"{proxy}: does not speak SOCKS 5")
        if method == socks.BY_PASSWORD and proxy.username is not None:
            await stream.write(socks.login(proxy.username, proxy.password))
            method = (await _read_exactly(stream, 2))[1]  # 0 = welcome
        if method != socks.NO_LOGIN:
            raise ProxyFailed(f"{proxy}: refuses the user name and password of fetch.proxy, or wants some")

    async def _connect(self, stream: Stream, authority: str) -> None:
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if login := proxy_authorization(self._proxy):
            lines.append(f"Proxy-Authorization: {login}")
        await stream.write("\r\n".join([*lines, "", ""]).encode("ascii"))
        status = await self._read_status(stream)
        if status == 407:
            raise refused_login(self._proxy)
        if not 200 <= status < 300:
            raise httpx.ConnectError(f"{self._proxy} does not reach the host: HTTP {status}")

    async def _read_status(self, stream: Stream) -> int:
        """The status of the answer to CONNECT, and its head read to the end: the host speaks only after us."""
        head = b""
        while b"\r\n\r\n" not in head and len(head) <= MOST_HEAD_BYTES:
            head += await _read_some(stream, 4096)
        match = _STATUS.match(head)
        if match is None or len(head) > MOST_HEAD_BYTES:
            raise ProxyFailed(f"{self._proxy}: does not speak HTTP")
        return int(match[1])


def refused_login(proxy: Proxy) -> ProxyFailed:
    """What a 407 comes to."""
    return ProxyFailed(f"{proxy}: HTTP 407, it refuses the user name and password of fetch.proxy, or wants some")


async def _read_exactly(stream: Stream, n: int) -> bytes:
    data = b""
    while len(data) < n:
        data += await _read_some(stream, n - len(data))
    return data


async def _read_some(stream: Stream, most: int) -> bytes:
    data = await stream.read(most)
    if not data:
        raise EOFError
    return data
