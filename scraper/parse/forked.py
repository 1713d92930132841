"""A worker that is a fork of this process: it has imported already what this one has, and shares that memory.

Only for a process that has begun nothing yet, neither threads nor a loop: a fork copies one thread and all locks.
"""

import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

POLL_S = 0.001


class Forked:
    """A child that was forked; waited for and killed as a `subprocess.Popen` is."""

    def __init__(self, pid: int) -> None:
        """`pid`: the child's."""
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises TimeoutExpired after so many seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(f"the worker {self.pid}", timeout or 0.0)
            time.sleep(POLL_S)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def fork(work: Callable[[socket.socket], None], theirs: socket.socket, others: Iterable[socket.socket]) -> Forked:
    """Fork a child that does `work` with its end of a stream, and ends. `others`: sockets that are not for it.

    Raises OSError.
    """
    pid = os.fork()
    if pid:
        return Forked(pid)
    code = 1
    with suppress(BaseException):
        for sock in others:
            sock.close()
        _settle()
        work(theirs)
        code = 0
    os._exit(code)


def _settle() -> None:
    """As a fresh interpreter would have been started: no input, no output but errors, a process group of its own."""
    os.setpgid(0, 0)
    gc.enable()
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
