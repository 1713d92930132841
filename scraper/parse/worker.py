"""The life of one parse worker process: receive a batch, handle each page, send the results. Blocking throughout.

It is started as a fresh interpreter, not through multiprocessing: so nothing of the parent's `__main__` is imported
again, and a script that calls `scrape()` needs no `if __name__ == "__main__"`. Where the process is ours alone, the
first ones are forks of it (forked.py).

A worker never outlives its parent for long: it ends at the end of the stream, and an alarm ends it where a page holds
it longer than the pool would have waited.
"""

import gc
import importlib
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from scraper.parse import wire
from scraper.parse.heap import keep_freed
from scraper.records import Page, Parsed

Handler = Callable[[Page], Parsed]

FLUSH_AFTER_S = 0.05
"""Results wait no longer than this for the rest of their batch: the pool measures a page's time by their arrival."""
COLLECT_AFTER = 20_000
"""Objects made and not freed, between two searches for cycles; Python's 700 would come several times a page."""
ALARM_GRACE_S = 5.0
"""The pool's own deadline comes first; the alarm is for a worker whose pool is gone."""


def main(fd: int) -> None:
    """Serve the pool at the other end of the socket `fd`, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the stream
    with socket.socket(fileno=fd) as sock, suppress(ConnectionError):  # the pool may close at any time
        sock.setblocking(True)
        frame = _receive_frame(sock)
        if frame is not None:
            _begin(sock, pickle.loads(frame))


def _begin(sock: socket.socket, setup: wire.Setup) -> None:
    try:
        handler = _build(setup)
    except Exception as exc:  # the border of the process: the pool is told and ends the run
        why = wire.sendable(f"{type(exc).__name__}: {exc}")
        sock.sendall(wire.results_frame(wire.Results([], 0.0, broken=why)))
        return
    spare_the_collector()
    keep_freed()
    sock.sendall(wire.results_frame(wire.Results([], 0.0)))
    _serve(sock, handler, setup.timeout_s + ALARM_GRACE_S)


def _build(setup: wire.Setup) -> Handler:
    sys.path[:] = setup.path
    module, _, name = setup.build.partition(":")
    handler: Handler = getattr(importlib.import_module(module), name)(setup.plan)
    _limit_memory(setup.max_memory)
    return handler


def spare_the_collector() -> None:
    """What was imported stays, and a page's nodes, a thousand and more, are no cycles: reference counts free them."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _limit_memory(limit: int) -> None:
    if not limit:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _serve(sock: socket.socket, handler: Handler, alarm_s: float) -> None:
    leaving = False
    while not leaving and (frame := _receive_frame(sock)) is not None:
        heads = wire.read_heads(frame)
        pages = [(head.id, wire.page_of(head, _receive(sock, head.size))) for head in heads]
        leaving = _handle_batch(sock, handler, pages, alarm_s)


def _handle_batch(sock: socket.socket, handler: Handler, pages: list[tuple[int, Page]], alarm_s: float) -> bool:
    """Handle pages in order; gives True where the worker should end, with the rest left undone."""
    started = time.monotonic()
    results: list[wire.Result] = []
    for number, (id, page) in enumerate(pages, 1):
        signal.setitimer(signal.ITIMER_REAL, alarm_s)
        parsed = handler(page)
        results.append(wire.Result(id, parsed.row, parsed.kind, parsed.message, parsed.content))
        now = time.monotonic()
        leaving = parsed.kind == "parse_memory"
        if leaving or number == len(pages) or now - started > FLUSH_AFTER_S:
            signal.setitimer(signal.ITIMER_REAL, 0)
            sock.sendall(wire.results_frame(wire.Results(results, now - started, leaving)))
            results, started = [], now
        if leaving:
            return True
    return False


def _receive_frame(sock: socket.socket) -> bytes | None:
    """The next frame without its length, None at the end of the stream."""
    head = sock.recv(wire.LENGTH.size, socket.MSG_WAITALL)
    if len(head) < wire.LENGTH.size:
        return None
    return _receive(sock, wire.LENGTH.unpack(head)[0])


def _receive(sock: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes. Raises ConnectionError where the pool is gone in mid-frame."""
    data = sock.recv(size, socket.MSG_WAITALL) if size else b""
    if len(data) == size:
        return data
    return _receive_rest(sock, data, size)


def _receive_rest(sock: socket.socket, data: bytes, size: int) -> bytes:
    """A signal may end a waiting receive early: go on from there."""
    buffer = bytearray(data)
    while len(buffer) < size:
        piece = sock.recv(size - len(buffer), socket.MSG_WAITALL)
        if not piece:
            raise ConnectionError("the pool closed the stream in the middle of a batch")
        buffer += piece
    return bytes(buffer)
