"""A server with an address of its own on loopback for each behaviour, so that none is judged by what another did."""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path

from tests.hostile.answers import Made, Writer, page, sized
from tests.hostile.behaviours import NO_ROBOTS, Behaviour, Reply

LANDING = sized(page("landing"), "Content-Type: text/html")
"""At /landing of every address: where redirects lead."""
CERTIFICATE = Path(__file__).parents[1] / "fetch" / "self_signed.pem"


class HostileServer:
    """An async context manager. 127.1.0.1 has the first behaviour, 127.1.0.2 the second, and so on."""

    def __init__(self, behaviours: dict[str, Behaviour]) -> None:
        self._behaviours = behaviours
        self.urls: dict[str, str] = {}
        """By name."""
        self._servers: list[asyncio.Server] = []
        self._asked: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "HostileServer":
        for behaviour in self._behaviours.values():
            _make_ready(*behaviour.replies, behaviour.robots)
        for number, (name, behaviour) in enumerate(self._behaviours.items(), 1):
            await self._listen(f"127.1.{number // 250}.{number % 250 + 1}", name, behaviour)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, address: str, name: str, behaviour: Behaviour) -> None:
        async def serve(reader: asyncio.StreamReader, writer: Writer) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(name, behaviour, reader, writer)
            self._tasks.discard(task)
            writer.close()

        tls = _tls() if behaviour.has_tls else None
        server = await asyncio.start_server(serve, address, 0, ssl=tls)
        self._servers.append(server)
        port = server.sockets[0].getsockname()[1]
        self.urls[name] = f"{behaviour.scheme}://{address}:{port}/page"

    async def _answer(self, name: str, behaviour: Behaviour, reader: asyncio.StreamReader, writer: Writer) -> None:
        """One request after the other, where the behaviour keeps its connections."""
        while behaviour.is_raw or (path := _path(await reader.readuntil(b"\r\n\r\n"))):
            reply = self._reply(name, behaviour, "" if behaviour.is_raw else path)
            await _give(reply, writer)
            if not behaviour.keeps and reply not in (NO_ROBOTS, LANDING):
                return

    def _reply(self, name: str, behaviour: Behaviour, path: str) -> Reply:
        if path == "/robots.txt":
            return behaviour.robots
        if path == "/landing":
            return LANDING
        asked = self._asked[name] = self._asked.get(name, 0) + 1
        return behaviour.replies[min(asked, len(behaviour.replies)) - 1]


def _path(request: bytes) -> str:
    return request.split()[1].decode("latin-1")


def _make_ready(*replies: Reply) -> None:
    """A server that is busy making an answer would let all others wait."""
    for reply in replies:
        if isinstance(reply, Made):
            assert reply.content


async def _give(reply: Reply, writer: Writer) -> None:
    reply = reply.content if isinstance(reply, Made) else reply
    if isinstance(reply, bytes):
        writer.write(reply)
        await writer.drain()
    else:
        await reply(writer)


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
