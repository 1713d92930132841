"""The life of a process that fetches a page and parses it, one at a time. Blocking throughout; `processes.py` is its
other end.

It ends with the stream. Its own clock ends it where a page takes longer to parse than parse.timeout: by then the page
has the whole process, and no other page is hurt.
"""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from scraper.models.blueprint import Blueprint
from scraper.models.frames import frame, receive
from scraper.models.lent import Lent
from scraper.models.limits import limit_memory_beyond_now
from scraper.models.wholework import Answer, WholeWork
from scraper.parse.heap import keep_freed
from scraper.parse.worker import spare_the_collector
from scraper.records import Read


class Grow(msgspec.Struct, frozen=True):
    """Asks for so many bytes more."""

    bytes: int


class Lend(msgspec.Struct, frozen=True):
    """They are lent."""


class Answered(msgspec.Struct, frozen=True):
    """What came of a job."""

    answer: Answer
    held: int
    """Bytes that its body held."""
    parse_s: float
    leaves: bool
    """The process ends: it ran out of memory once, so its heap is not to be trusted."""


def main(fd: int) -> None:
    """Serve the run at the other end of the socket `fd`, until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then closes the stream
    with socket.socket(fileno=fd) as sock, suppress(EOFError, ConnectionError):
        sock.setblocking(True)
        blueprint: Blueprint = receive(sock)
        try:
            work = WholeWork(blueprint)
        except Exception as exc:  # the border of the process: the run is told and ends
            sock.sendall(frame(str(exc)))
            return
        spare_the_collector()
        keep_freed()
        limit_memory_beyond_now(blueprint.config.parse.max_memory)
        sock.sendall(frame(None))
        _serve(sock, work, blueprint.config.parse.timeout)


def _serve(sock: socket.socket, work: WholeWork, timeout_s: float) -> None:
    def ask(n: int) -> None:
        sock.sendall(frame(Grow(n)))
        receive(sock)

    leaves = False
    while not leaves:
        job = receive(sock)
        memory, clock = Lent(ask), _Clock(timeout_s)
        try:
            answer = work.do(job, memory, clock.running)
        except Exception as exc:  # a body that cannot be kept ends the run, as everywhere
            sock.sendall(frame(exc))
            return
        leaves = isinstance(answer, Read) and answer.parsed.kind == "parse_memory"
        sock.sendall(frame(Answered(answer, memory.held, clock.seconds, leaves)))


class _Clock:
    """The time of one page's parsing; where it is over, SIGALRM ends the process."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.seconds = time.monotonic() - started
