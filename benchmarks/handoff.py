"""Ways to hand pages to another process and get rows back, as micro/test_handoff.py measures them. Blocking throughout.

    socket    a pair of Unix sockets: one gathering write for a batch, each body received into its bytes object
    pipe      two pipes, else the same
    shared    bodies copied into shared memory and out of it; its name, the heads and the rows go by socket
    pickle    the records over a multiprocessing.Pipe

All but the last use the frames of the tool's own wire.py. One batch is under way at a time, so the shared memory needs
no bookkeeping of what is free; a pool's would.
"""

import fcntl
import multiprocessing
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from multiprocessing.shared_memory import SharedMemory

from scraper.parse import wire
from scraper.parse.process import SOCKET_BUFFER
from scraper.records import Page

Numbered = tuple[int, Page]
Buffer = bytes | memoryview

END_S = 10
READ_BYTES = 256 * 1024
"""Asked for at once where the size is not known, as uvloop does."""
SHARED_BYTES = 1 << 20
"""Room for any batch."""
ROW = b'{"text":"' + b"x" * 4988 + b'"}\n'
"""5 KB: with 80 links, a row of the main scenario has about as much."""


@dataclass
class SocketStream:
    """One of a pair of sockets."""

    sock: socket.socket

    def write(self, pieces: Sequence[Buffer]) -> int:
        """One gathering write; gives how many bytes went."""
        return self.sock.sendmsg(pieces)

    def read(self, size: int) -> bytes:
        """One receive that waits until all is there; less only at the end or after a signal."""
        return self.sock.recv(size, socket.MSG_WAITALL)

    def read_some(self) -> bytes:
        """What is there; waits for something. b"" at the end."""
        return self.sock.recv(READ_BYTES)

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


@dataclass
class PipeStream:
    """One end each of two pipes, as Connection objects: multiprocessing can give those to another process."""

    inward: Connection
    outward: Connection

    def write(self, pieces: Sequence[Buffer]) -> int:
        """One gathering write; gives how many bytes went."""
        return os.writev(self.outward.fileno(), pieces)

    def read(self, size: int) -> bytes:
        """One read of what is there, of so many bytes at most: a pipe has no flag to wait for the rest."""
        return os.read(self.inward.fileno(), size)

    def read_some(self) -> bytes:
        """What is there; waits for something. b"" at the end."""
        return self.read(READ_BYTES)

    def close(self) -> None:
        """Close both ends."""
        self.inward.close()
        self.outward.close()


Stream = SocketStream | PipeStream


@dataclass
class Framed:
    """One side of the ways `socket` and `pipe`: wire.py's frames over a stream."""

    stream: Stream
    _reader: wire.ResultReader = field(default_factory=wire.ResultReader)

    def send_pages(self, pages: Sequence[Numbered]) -> None:
        """Hand over a batch."""
        write_all(self.stream, wire.batch_frames(pages))

    def receive_pages(self) -> list[Numbered]:
        """The next batch. EOFError where the other side is closed."""
        heads = wire.read_heads(read_frame(self.stream))
        return [(head.id, wire.page_of(head, read_exactly(self.stream, head.size))) for head in heads]

    def send_rows(self, results: wire.Results) -> None:
        """Send the outcome of a batch."""
        write_all(self.stream, [wire.results_frame(results)])

    def receive_rows(self) -> wire.Results:
        """The outcome of a batch, received as the pool does: in the pieces that come."""
        while True:
            for results in self._reader.feed(some(self.stream.read_some())):
                return results

    def close(self) -> None:
        """Close the stream."""
        self.stream.close()


@dataclass
class Shared(Framed):
    """One side of the way `shared`."""

    memory: SharedMemory | None = None
    """Made by who first sends pages, opened by who first receives some."""
    is_owner: bool = False

    def send_pages(self, pages: Sequence[Numbered]) -> None:
        """Copy the bodies in, one behind the other; send the memory's name and the heads."""
        if self.memory is None:
            self.memory, self.is_owner = SharedMemory(create=True, size=SHARED_BYTES), True
        view, at = view_of(self.memory), 0
        for _, page in pages:
            view[at : at + len(page.body)] = page.body
            at += len(page.body)
        name = self.memory.name.encode()
        write_all(self.stream, [wire.LENGTH.pack(len(name)) + name, wire.batch_frames(pages)[0]])

    def receive_pages(self) -> list[Numbered]:
        """The next batch, its bodies copied out. EOFError where the other side is closed."""
        name = read_frame(self.stream).decode()
        if self.memory is None:
            self.memory = SharedMemory(name)
        pages, view, at = [], view_of(self.memory), 0
        for head in wire.read_heads(read_frame(self.stream)):
            pages.append((head.id, wire.page_of(head, bytes(view[at : at + head.size]))))
            at += head.size
        return pages

    def close(self) -> None:
        """Close the stream; the memory goes with who made it."""
        super().close()
        if self.memory is not None:
            self.memory.close()
            if self.is_owner:
                self.memory.unlink()


@dataclass
class Pickled:
    """One side of the way `pickle`."""

    connection: Connection

    def send_pages(self, pages: Sequence[Numbered]) -> None:
        """Hand over a batch."""
        self.connection.send(pages)

    def receive_pages(self) -> list[Numbered]:
        """The next batch. EOFError where the other side is closed."""
        pages: list[Numbered] = self.connection.recv()
        return pages

    def send_rows(self, results: wire.Results) -> None:
        """Send the outcome of a batch."""
        self.connection.send(results)

    def receive_rows(self) -> wire.Results:
        """The outcome of a batch."""
        results: wire.Results = self.connection.recv()
        return results

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


Side = Framed | Pickled


def view_of(memory: SharedMemory) -> memoryview:
    """What can be read and written; the memory must be open."""
    assert memory.buf is not None
    return memory.buf


def write_all(stream: Stream, pieces: Sequence[bytes]) -> None:
    """Write pieces one behind the other; usually one write takes all."""
    left = sum(map(len, pieces)) - stream.write(pieces)
    if left:
        rest = memoryview(b"".join(pieces))[-left:]
        while rest:
            rest = rest[stream.write([rest]) :]


def read_frame(stream: Stream) -> bytes:
    """The next frame without its length. EOFError at the end."""
    return read_exactly(stream, wire.LENGTH.unpack(read_exactly(stream, wire.LENGTH.size))[0])


def read_exactly(stream: Stream, size: int) -> bytes:
    """So many bytes, however they come; without a copy where they come at once. EOFError at the end."""
    data = some(stream.read(size))
    if len(data) == size:
        return data
    pieces, left = [data], size - len(data)
    while left:
        pieces.append(some(stream.read(left)))
        left -= len(pieces[-1])
    return b"".join(pieces)


def some(data: bytes) -> bytes:
    """The data. EOFError where there are none."""
    if not data:
        raise EOFError("the other side is closed")
    return data


def sockets() -> tuple[SocketStream, SocketStream]:
    """Two connected streams, with the buffers that the tool asks for."""
    pair = socket.socketpair()
    for sock in pair:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
    return SocketStream(pair[0]), SocketStream(pair[1])


def pipes() -> tuple[PipeStream, PipeStream]:
    """Two streams of two pipes, as large as the system gives anyone."""
    (in_here, out_there), (in_there, out_here) = Pipe(duplex=False), Pipe(duplex=False)
    for end in (out_here, out_there):
        fcntl.fcntl(end.fileno(), fcntl.F_SETPIPE_SZ, SOCKET_BUFFER)
    return PipeStream(in_here, out_here), PipeStream(in_there, out_there)


def _framed() -> tuple[Side, Side]:
    here, there = sockets()
    return Framed(here), Framed(there)


def _piped() -> tuple[Side, Side]:
    here, there = pipes()
    return Framed(here), Framed(there)


def _shared() -> tuple[Side, Side]:
    here, there = sockets()
    return Shared(here), Shared(there)


def _pickled() -> tuple[Side, Side]:
    here, there = Pipe()
    return Pickled(here), Pickled(there)


WAYS: dict[str, Callable[[], tuple[Side, Side]]] = {
    "socket": _framed,
    "pipe": _piped,
    "shared": _shared,
    "pickle": _pickled,
}


def serve(side: Side) -> None:
    """The other process: a row for each page, until the stream ends."""
    with closing(side):
        while True:
            try:
                pages = side.receive_pages()
            except EOFError:
                return
            side.send_rows(wire.Results([wire.Result(id, ROW, None, "") for id, _ in pages], 0.0))


@contextmanager
def other_process(way: str) -> Iterator[tuple[Side, int]]:
    """A fresh process that serves; gives our side and its pid. It has ended after the block."""
    ours, theirs = WAYS[way]()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        assert process.pid is not None
        yield ours, process.pid
    finally:
        ours.close()
        process.join(END_S)
        process.close()
