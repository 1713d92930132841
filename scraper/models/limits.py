"""The limit on the memory of a process that does more than parse."""

import os
import threading

PAGE_SIZE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def limit_memory_beyond_now(n: int) -> None:
    """Let the process take `n` bytes of address space more than it has, 0 = no limit.

    A wire's threads and buffers have reserved some hundred MB by then, most of which is never touched.
    """
    if not n:
        return
    try:
        import resource
    except ImportError:  # Windows
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = n + address_space()
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def lift_limit() -> None:
    """Undo `limit_memory_beyond_now`."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def address_space() -> int:
    """Bytes of this process's address space; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb", buffering=0) as statm:
            return int(statm.read(64).split(b" ", 1)[0]) * PAGE_SIZE
    except OSError:
        return 0


class PageMemory:
    """The limit while pages are in parse in a process that does all else too: `n` bytes for each of so many at once.

    It hits whoever asks next, so it is taken away again when nothing is in parse. May be used on any thread.
    """

    def __init__(self, n: int, at_once: int) -> None:
        """`n`: 0 = no limit."""
        self._n = n * at_once
        self._running = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A page is in parse."""
        if not self._n:
            return
        with self._lock:
            self._running += 1
            if self._running == 1:
                limit_memory_beyond_now(self._n)

    def end(self) -> None:
        """It is parsed."""
        if not self._n:
            return
        with self._lock:
            self._running -= 1
            if not self._running:
                lift_limit()
