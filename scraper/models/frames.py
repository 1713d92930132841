"""Records on a stream between processes of ours: each is pickled behind its length.

Only our own processes speak on these streams, so unpickling what they send runs no one else's code.
"""

import pickle
import socket
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct("<I")


def frame(record: object) -> bytes:
    """A record as it travels."""
    data = pickle.dumps(record, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(data)) + data


class FrameReader:
    """Cuts a stream of bytes into records, however it was cut on the way."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The records that `data` completes."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(buffer, start)
            end = start + _LENGTH.size + size
            if len(buffer) < end:
                break
            record = pickle.loads(buffer[start + _LENGTH.size : end])
            start = end
            yield record
        del buffer[:start]


def receive(sock: socket.socket) -> Any:
    """The next record; blocks. Raises EOFError at the end of the stream, also in the middle of a record."""
    return pickle.loads(_exactly(sock, _LENGTH.unpack(_exactly(sock, _LENGTH.size))[0]))


def _exactly(sock: socket.socket, size: int) -> bytes:
    buffer = bytearray()
    while len(buffer) < size:
        piece = sock.recv(size - len(buffer))
        if not piece:
            raise EOFError
        buffer += piece
    return bytes(buffer)
