"""Worker processes as the system sees them: started with a stream to them, waited for, and how each one ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from scraper.parse.forked import Forked, fork

Process = subprocess.Popen[bytes] | Forked

SOCKET_BUFFER = 1 << 20
"""Asked of the kernel for each direction, so that a whole batch usually leaves in one write (it may give less)."""
CLOSE_WITHIN_S = 2.0
"""For all workers together, to end by themselves when the pool is left."""
END_WITHIN_S = 0.2
"""From the end of a worker's stream to the end of its process: a millisecond, unless it closed the stream itself. The
loop stands still meanwhile, which only a page that is judged, or a worker that cannot start, brings about."""


_ahead: deque[tuple[Process, socket.socket]] = deque()
"""Started and not yet taken. They wait for their setup, and end with this process if none comes."""


def fork_ahead(count: int) -> None:
    """Fork workers that `spawn_connected` will give out. Only for a process that has begun nothing yet (forked.py).

    What they need is to be imported before: once, by this process, which needs most of it too. That spares each 0.1 s
    of CPU. What the system refuses here it will refuse the pool too, which has the words for it.
    """
    from scraper.parse import worker

    with suppress(OSError):
        while hasattr(os, "fork") and len(_ahead) < count:
            _ahead.append(_fork(lambda sock: worker.main(sock.detach())))


def _fork(work: Callable[[socket.socket], None]) -> tuple[Process, socket.socket]:
    ours, theirs = _stream()
    with theirs:
        try:
            return fork(work, theirs, [ours, *(sock for _, sock in _ahead)]), ours
        except BaseException:
            ours.close()
            raise


PARSE_WORKER = "from scraper.parse import page, worker; worker.main({fd})"
"""What a parse worker does. What handles pages is found by name in its setup; the usual one is imported before that."""


def spawn_connected() -> tuple[Process, socket.socket]:
    """A parse worker and our end of its stream. Raises OSError, with nothing left open."""
    return _ahead.popleft() if _ahead else spawn(PARSE_WORKER)


def spawn(code: str, *fds: int) -> tuple[Process, socket.socket]:
    """A process that runs `code`, and our end of the stream to it: its own stands for `{fd}` there.

    `fds`: further ones that it keeps. Raises OSError, with nothing left open.
    """
    ours, theirs = _stream()
    with theirs:
        try:
            return _spawn(code.format(fd=theirs.fileno()), [theirs.fileno(), *fds]), ours
        except BaseException:
            ours.close()
            raise


def _stream() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
    return ours, theirs


def _spawn(code: str, fds: list[int]) -> Process:
    """A fresh interpreter. In a process group of its own, so that Ctrl-C reaches the parent alone."""
    return subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno() if _has_fileno(sys.stderr) else subprocess.DEVNULL,
        process_group=0,
    )


def _has_fileno(stream: object) -> bool:
    try:
        return stream.fileno() >= 0  # type: ignore[attr-defined, no-any-return]
    except (AttributeError, OSError, ValueError):
        return False


def reap(processes: list[Process]) -> None:
    """Wait for workers that were told to leave; kill those that do not in their common time."""
    until = time.monotonic() + CLOSE_WITHIN_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def how_it_ended(process: Process) -> str:
    """A process's end in words. To be asked before it is killed; waits for it a moment."""
    try:
        code = process.wait(END_WITHIN_S)
    except subprocess.TimeoutExpired:
        return "it closed its stream"
    return f"exit status {code}" if code >= 0 else f"signal {_signal_name(-code)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals, most of which have no name
        return str(number)
