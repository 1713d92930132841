"""The process that serves a recording: `python -m scraper.measure.replay.server FOLDER`.

As cheap as a Python server can be, so that the run and not the server is what a comparison measures: heads are made
ahead, bodies are slices of one mapped file, and a request is answered without a task of its own.
"""

import asyncio
import errno
import json
import mmap
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from scraper import loop, weburl
from scraper.errors import ScraperError
from scraper.fetch.requests import target_of
from scraper.measure.replay.recording import Answer, Recording, open_recording
from scraper.measure.replay.served import Places, addresses_of, head_of, origins_of
from scraper.openfiles import allow_open_files
from scraper.site.server import url_of

BACKLOG = 2048
CONNECTIONS = 1024
"""At a time, at least, whatever the number of hosts."""
PIECES = 8
"""A body that took long comes in so many."""
AT_ONCE_S = 0.002
"""A body that came within it is sent in one piece: timers are not much finer."""

_END = b"\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nnot recorded\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, ready to be sent."""

    head: bytes
    body: memoryview
    head_s: float
    body_s: float

    def parts(self) -> Iterator[tuple[float, bytes]]:
        """What is sent, and how many seconds behind the request."""
        if self.body_s < AT_ONCE_S or not self.body:
            yield self.head_s + self.body_s, self.head + self.body
            return
        yield self.head_s, self.head
        size = -(-len(self.body) // PIECES)
        for number in range(PIECES):
            piece = self.body[number * size : (number + 1) * size]
            yield self.head_s + self.body_s * (number + 1) / PIECES, bytes(piece)


Replies = dict[bytes, Reply]
"""By path and query."""


class Answerer(asyncio.Protocol):
    """Answers the requests of one connection to one origin."""

    def __init__(self, replies: Replies) -> None:
        """Use on a loop."""
        self._replies = replies
        self._loop = asyncio.get_running_loop()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none, by its class

    def data_received(self, data: bytes) -> None:
        """Answer every request whose end has come; a GET has no body."""
        *requests, self._rest = (self._rest + data).split(_END)
        for request in requests:
            self._answer(request.split(b" ", 2)[1:2])

    def _answer(self, target: list[bytes]) -> None:
        reply = self._replies.get(target[0]) if target else None
        if reply is None:
            self._transport.write(_MISSING)
            return
        for wait_s, part in reply.parts():
            self._loop.call_later(wait_s, self._send, part)

    def _send(self, part: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(part)


def replies_of(recording: Recording, bodies: memoryview, places: Places) -> dict[str, Replies]:
    """What each origin answers; of a URL that answered more than once, the last."""
    found: dict[str, Replies] = {}
    for answer in recording.answers():
        replies = found.setdefault(weburl.origin(answer.url), {})
        head = head_of(answer, places)
        if head is not None:
            replies[target_of(answer.url)] = _reply(answer, head, bodies)
    return found


def _reply(answer: Answer, head: bytes, bodies: memoryview) -> Reply:
    return Reply(head, bodies[answer.offset : answer.offset + answer.size], answer.head_s, answer.body_s)


def listeners_for(recording: Recording) -> dict[str, socket.socket]:
    """A listening socket for each origin, on its host's address. Raises ScraperError where there is no such address."""
    addresses = addresses_of(origins_of(recording.answers()))
    allow_open_files(max(CONNECTIONS, len(addresses)))
    with ExitStack() as exits:
        found = {}
        for origin, address in addresses.items():
            found[origin] = exits.enter_context(_listener(address))
        exits.pop_all()
    return found


def _listener(address: str) -> socket.socket:
    try:
        return socket.create_server((address, 0), backlog=BACKLOG)
    except OSError as exc:
        hint = "give it to the loopback interface, or replay on Linux, where all of 127.0.0.0/8 is there"
        if exc.errno == errno.EADDRNOTAVAIL:
            raise ScraperError(f"{address} is no address of this machine: {hint}") from exc
        raise ScraperError(f"{address} cannot be served: {exc.strerror}") from exc


async def serve(recording: Recording) -> None:
    """Serve until killed; the places go to standard output first, as one line of JSON."""
    listeners = listeners_for(recording)
    places = {origin: url_of(sock) for origin, sock in listeners.items()}
    replies = replies_of(recording, mapped(recording.bodies), places)
    running = asyncio.get_running_loop()
    servers = [
        await running.create_server(partial(Answerer, replies.get(origin, {})), sock=sock)
        for origin, sock in listeners.items()
    ]
    print(json.dumps({"places": places}), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def mapped(path: Path) -> memoryview:
    """A file as memory, which the system reads as it is needed."""
    with path.open("rb") as file:
        if not os.fstat(file.fileno()).st_size:  # nothing can be mapped
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def main(folder: str) -> None:
    """Serve the recording in a folder, until the parent is gone."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    try:
        recording = open_recording(Path(folder))
        if recording is None:
            raise ScraperError(f"{folder}: holds no recording")
        loop.run(serve(recording))
    except ScraperError as exc:
        print(json.dumps({"error": str(exc)}), flush=True)


def _exit_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
