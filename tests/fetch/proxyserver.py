"""Proxies on loopback for the tests: HTTP and SOCKS 5 that really forward, whatever name is asked, to loopback."""

import asyncio
import ssl
from base64 import b64decode
from typing import Any

STALL = "stall"


class LocalProxy:
    """Takes HTTP (absolute form and CONNECT) and SOCKS 5 on one port; notes what it was asked.

    Names lead to 127.0.0.1: the proxy looks them up. `says` answers each CONNECT or SOCKS request with a code of its
    own, or with silence (STALL), or with bytes that are no answer.
    """

    def __init__(
        self, *, login: str | None = None, tls: ssl.SSLContext | None = None, says: int | str | bytes | None = None
    ) -> None:
        self._login = login
        self._tls = tls
        self._says = says
        self.asked: list[str] = []
        """`CONNECT host:port`, `GET url`, `SOCKS host:port`."""
        self.heads: list[str] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    def url(self, scheme: str, login: str = "") -> str:
        return f"{scheme}://{login + '@' if login else ''}localhost:{self.port}"

    async def __aenter__(self) -> "LocalProxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            first = await reader.readexactly(1)
            await (self._socks if first == b"\x05" else self._http)(first, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.heads.append(head)
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        self.asked.append(f"{method} {target}")
        if self._login is not None and self._login not in _basic_login(head):
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif isinstance(self._says, bytes):
            writer.write(self._says)
        elif self._says == STALL:
            await asyncio.sleep(60)
        elif self._says is not None:
            writer.write(f"HTTP/1.1 {self._says} No\r\nContent-Length: 0\r\n\r\n".encode())
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join(reader, writer, int(target.rpartition(":")[2]))
        else:
            await self._forward(head, target, writer)

    async def _forward(self, head: str, target: str, writer: asyncio.StreamWriter) -> None:
        """As RFC 9112 section 3.2.2 wants it: Host is what the request line names."""
        authority, _, path = target.removeprefix("http://").partition("/")
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", int(authority.rpartition(":")[2]))
        upstream.write(f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n".encode())
        try:
            writer.write(await upstream_reader.read())
        finally:
            upstream.close()

    async def _socks(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        wanted = 2 if self._login is not None else 0
        writer.write(bytes([5, wanted if wanted in methods else 255]))
        if wanted == 2:
            await reader.readexactly(1)
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            is_right = f"{user.decode()}:{password.decode()}" == self._login
            writer.write(bytes([1, 0 if is_right else 1]))
        _, _, _, kind = await reader.readexactly(4)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        address = await reader.readexactly(length)
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"SOCKS {address.decode() if kind == 3 else '.'.join(map(str, address))}:{port}")
        if self._says == STALL:
            await asyncio.sleep(60)
        code = self._says if isinstance(self._says, int) else 0
        writer.write(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
        if code == 0:
            await _join(reader, writer, port)


def _basic_login(head: str) -> str:
    for line in head.split("\r\n"):
        if line.lower().startswith("proxy-authorization: basic "):
            return b64decode(line.rpartition(" ")[2]).decode()
    return ""


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    try:
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_copy(reader, upstream))
            tasks.create_task(_copy(upstream_reader, writer))
    finally:
        upstream.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
