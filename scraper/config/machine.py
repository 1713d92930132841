"""What the settings that may say "auto" come to on this machine, or in its container: memory and worker processes."""

import os
from collections.abc import Callable
from pathlib import PurePosixPath

from scraper.config.model import Config

_MIB = 1024 * 1024
_LEAST, _MOST, _SHARE = 64 * _MIB, 128 * _MIB, 8
# An eighth leaves room for the workers, who hold each body once more as a tree. Where parsing is the limit the budget
# fills up whatever it is, and beyond 128 MiB that buys no speed: 15,000 pages took 465 MB instead of 240, and as long.

_CGROUP_LIMITS = {
    "": (PurePosixPath("/sys/fs/cgroup"), "memory.max"),
    "memory": (PurePosixPath("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
}
"""By the controller that /proc/self/cgroup names: v2 names none."""

ReadText = Callable[[str], str | None]
"""Gives a file's text, None where it cannot be read."""


def byte_budget(config: Config) -> int:
    """Return run.memory in bytes; "auto" looks at this machine, and always holds one page of fetch.max_body."""
    if config.run.memory != "auto":
        return config.run.memory
    return max(auto_budget(machine_memory(_read_text, _physical_bytes)), config.fetch.max_body)


WAITING_PROCESSES = 4
"""For each core, where a process waits for its page before it parses it: more cost 40 MB each."""


def worker_processes(config: Config) -> int:
    """Return parse.processes; "auto" is one for each core that this process may run on, four where they wait too."""
    if config.parse.processes != "auto":
        return config.parse.processes
    return min(config.fetch.concurrency, WAITING_PROCESSES * cores()) if config.run.model == "processes" else cores()


def cores() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def auto_budget(available: int) -> int:
    """Return the budget for `available` bytes of memory.

    >>> auto_budget(768 * 1024**2) // 1024**2, auto_budget(0) // 1024**2
    (96, 64)
    """
    return min(max(available // _SHARE, _LEAST), _MOST)


def machine_memory(read_text: ReadText, physical_bytes: Callable[[], int]) -> int:
    """Return the bytes this process may use: the smallest limit of its cgroups, or the machine's memory.

    An unlimited cgroup says "max" (v2) or a number beyond the machine (v1).
    """
    texts = [read_text(path) for path in limit_files(read_text("/proc/self/cgroup") or "")]
    limits = [int(text) for text in texts if text is not None and text.strip().isdigit()]
    return min([physical_bytes(), *limits])


def limit_files(membership: str) -> list[str]:
    """Return the limit files of the cgroups in /proc/self/cgroup (cgroups(7)) and of all above them, for each bounds.

    Inside a container the path may be seen from outside, so that only the root's file exists; it is always listed.

    >>> limit_files("0::/app")
    ['/sys/fs/cgroup/app/memory.max', '/sys/fs/cgroup/memory.max']
    """
    files = []
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            folder, name = _CGROUP_LIMITS[controllers]
            above = PurePosixPath(path.strip("/"))
            files += [str(folder / part / name) for part in (above, *above.parents)]
    return list(dict.fromkeys(files))


def _read_text(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None


def _physical_bytes() -> int:
    """Return the machine's memory; where the system does not tell (Windows), what `auto` makes its least of."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
