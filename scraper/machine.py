"""What the system tells of this process, its children and the cores they may run on: Linux's /proc; elsewhere, little.

Reading is all that happens here. A dozen small files take about 0.2 ms: for a few times a second.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_IDLE, _IOWAIT = 4, 5
"""Columns of /proc/stat, proc_stat(5); a core that waits for the disk is idle too."""


def idle_s() -> float | None:
    """Idle seconds so far of the cores that this process may run on; None where that is not told."""
    with suppress(OSError, AttributeError, ValueError, IndexError):
        names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        lines = [line.split() for line in _text(_PROC / "stat").splitlines() if line.startswith("cpu")]
        ticks = sum(int(line[_IDLE]) + int(line[_IOWAIT]) for line in lines if line[0] in names)
        return float(ticks / os.sysconf("SC_CLK_TCK"))
    return None


def tree_rss() -> int | None:
    """Resident bytes of this process and all that descend from it, shared pages counted in each; None if not told."""
    total = _rss(os.getpid())
    if total is None:
        return None
    return total + sum(_rss(pid) or 0 for pid in _descendants(os.getpid()))


def tree_cpu_s() -> float | None:
    """CPU seconds, user and system, of this process and its children that have ended; None where that is not told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def thread_wait_s() -> float:
    """Seconds in which this thread could have run and had no core; 0 where that is not told (proc_pid_schedstat(5))."""
    with suppress(OSError, ValueError, IndexError):
        return int(_text(_PROC / "thread-self" / "schedstat").split()[1]) / 1e9
    return 0.0


def process_cpu_s() -> float:
    """CPU seconds of this process, all its threads."""
    return time.process_time()


def has_gil() -> bool:
    """Whether this interpreter runs one thread's Python at a time."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for children in (_PROC / str(pid) / "task").glob("*/children"):
            for child in map(int, _text(children).split()):
                yield child
                yield from _descendants(child)


def _rss(pid: int) -> int | None:
    """None for a process that is gone, or where there is no /proc."""
    with suppress(OSError, IndexError):
        return int(_text(_PROC / str(pid) / "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return None


def _text(path: Path) -> str:
    with open(path, "rb", buffering=0) as file:
        return file.read().decode()
