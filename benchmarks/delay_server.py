"""A server of one small page that answers after a fixed time, whatever the number of connections.

As cheap as a Python server can be, so that the tool and not the server is what a scenario measures.
"""

import asyncio
import socket
import sys
from typing import cast

import uvloop

_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\r\n"
_TOP = "<!doctype html><title>A small page</title><h1>Small</h1>"


class Answerer(asyncio.Protocol):
    """Answers each request of one connection."""

    def __init__(self, answer: bytes, latency_s: float) -> None:
        """The same answer to all."""
        self._answer = answer
        self._latency_s = latency_s
        self._loop = asyncio.get_running_loop()
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none, by its class

    def data_received(self, data: bytes) -> None:
        """Answer every request whose end has come; a GET has no body."""
        *requests, self._tail = (self._tail + data).split(b"\r\n\r\n")
        for _ in requests:
            if self._latency_s:
                self._loop.call_later(self._latency_s, self._transport.write, self._answer)
            else:
                self._transport.write(self._answer)


def answer_of(body_bytes: int) -> bytes:
    """The whole answer, its body filled up to a size."""
    body = _TOP + "<p>" + "word " * max(0, (body_bytes - len(_TOP) - 3) // 5)
    return (_HEAD.format(len(body)) + body).encode()


def listener(everywhere: bool) -> socket.socket:
    """A socket on a free port of 127.0.0.1 or, everywhere, of all 127.0.0.0/8; never to be reached from outside.

    Linux only where everywhere: bound to the loopback interface it hears that alone, whatever the address.
    """
    found = socket.socket()
    if everywhere:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    found.bind(("0.0.0.0" if everywhere else "127.0.0.1", 0))
    return found


async def serve(latency_s: float, body_bytes: int, everywhere: bool) -> None:
    """Serve until killed; the URL goes to standard output first."""
    answer = answer_of(body_bytes)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answerer(answer, latency_s), sock=listener(everywhere), backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(float(sys.argv[1]), int(sys.argv[2]), "everywhere" in sys.argv))
