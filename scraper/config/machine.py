"""What the settings that may say "auto" come to on this machine, or in its container: memory, processes, requests.

What two of them come to while a run goes on is decided in scraper/auto.py.
"""

import os
from collections.abc import Callable
from math import ceil
from pathlib import PurePosixPath
from typing import NamedTuple

from scraper.auto import START, START_WORKERS
from scraper.config.model import Config

_MIB = 1024 * 1024
_LEAST, _MOST, _SHARE = 64 * _MIB, 128 * _MIB, 8
# An eighth leaves room for the workers, who hold each body once more as a tree. Where parsing is the limit the budget
# fills up whatever it is, and beyond 128 MiB that buys no speed: 15,000 pages took 465 MB instead of 240, and as long.

_CGROUPS = PurePosixPath("/sys/fs/cgroup")
_CGROUP_LIMITS = {"": (_CGROUPS, "memory.max"), "memory": (_CGROUPS / "memory", "memory.limit_in_bytes")}
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
    """Return parse.processes; "auto" is one for each core that this process may use, four where they wait too."""
    if config.parse.processes != "auto":
        return config.parse.processes
    if config.run.model == "processes":
        return min(config.fetch.most_concurrency, WAITING_PROCESSES * cores())
    return cores()


def first_workers(config: Config) -> int:
    """Return how many of them a run begins with; a hybrid's "auto" adds the others when it has work for them."""
    most = worker_processes(config)
    grows = config.parse.processes == "auto" and config.run.model == "hybrid"
    return min(most, START_WORKERS) if grows else most


FIXED_CONCURRENCY = 64
"""What fetch.concurrency = "auto" comes to where its number is that of threads, or each of several loops has its own:
the default, which keeps one core busy with most sites."""


def finds_concurrency(config: Config) -> bool:
    """Return whether the number of requests in flight is found while the run goes on."""
    return config.fetch.concurrency == "auto" and config.run.model in ("hybrid", "asyncio", "asyncio-threads")


def fetch_concurrency(config: Config) -> int:
    """Return fetch.concurrency; "auto" is what a run begins with, and in "threads" and "sharded" stays."""
    if config.fetch.concurrency != "auto":
        return config.fetch.concurrency
    if finds_concurrency(config):
        return START
    return FIXED_CONCURRENCY * (worker_processes(config) if config.run.model == "sharded" else 1)


def auto_settings(config: Config) -> list[tuple[str, str]]:
    """Return what each of parse.processes and fetch.concurrency that says "auto" comes to at the start, and why.

    As (key, words), without those that the model does not use.
    """
    told, model, found = [], config.run.model, machine_cores()
    if config.parse.processes == "auto" and model != "asyncio":
        first, most = first_workers(config), worker_processes(config)
        more = f", more as pages wait for them, up to {most}" if most > first else ""
        each = f"; {WAITING_PROCESSES} for each, as they wait for pages too" if model == "processes" else ""
        told.append(("parse.processes", f"{first} ({found}{each}){more}"))
    if config.fetch.concurrency == "auto" and model != "processes":
        each = f'{FIXED_CONCURRENCY} for each loop of "sharded"' if model == "sharded" else f'fixed for "{model}"'
        climbs = f"at the start; doubles while that gains pages/s, up to {config.fetch.most_concurrency:,}"
        told.append(
            ("fetch.concurrency", f"{fetch_concurrency(config)} ({climbs if finds_concurrency(config) else each})")
        )
    return told


class Cores(NamedTuple):
    """How many processors this process may use, and why."""

    by_affinity: int
    quota: float | None
    """Of its cgroups; None where there is none."""

    @property
    def usable(self) -> int:
        """How many of them work for this process at once.

        >>> Cores(8, None).usable, Cores(8, 2.5).usable, Cores(1, 0.1).usable, Cores(2, 16.0).usable
        (8, 3, 1, 2)
        """
        return self.by_affinity if self.quota is None else max(1, min(self.by_affinity, ceil(self.quota)))

    def __str__(self) -> str:
        """In words.

        >>> str(Cores(2, None)), str(Cores(1, 0.5))
        ('2 cores by affinity, no CPU quota', '1 core by affinity, CPU quota 0.5')
        """
        quota = "no CPU quota" if self.quota is None else f"CPU quota {self.quota:g}"
        return f"{self.by_affinity} core{'' if self.by_affinity == 1 else 's'} by affinity, {quota}"


def cores() -> int:
    """Return how many processors this process may use."""
    return machine_cores().usable


def machine_cores() -> Cores:
    """Return the processors of this process's affinity, and the CPU quota of its cgroups."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Cores(affinity or 1, cpu_quota(_read_text))


def cpu_quota(read_text: ReadText) -> float | None:
    """Return the processors that the cgroups of this process allow it, the smallest of their quotas; None for no quota.

    v2 has quota and period in one file, `max 100000` for none; v1 in two, with -1 for none.
    """
    quotas = []
    for quota_file, period_file in quota_files(read_text("/proc/self/cgroup") or ""):
        text = read_text(quota_file) or ""
        if period_file:
            text += f" {read_text(period_file) or ''}"
        words = text.split()
        if len(words) == 2 and all(word.isdecimal() and int(word) for word in words):
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


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
    for controllers, path in _memberships(membership):
        if controllers in ("", "memory"):
            folder, name = _CGROUP_LIMITS[controllers]
            files += [f"{above}/{name}" for above in _with_all_above(folder, path)]
    return list(dict.fromkeys(files))


def quota_files(membership: str) -> list[tuple[str, str]]:
    """Return the same for the CPU: the file of the quota, and that of the period or "" where both are in one (v2).

    v1's controller is found under its own name, and where it is mounted with others under theirs together.

    >>> quota_files("0::/app")
    [('/sys/fs/cgroup/app/cpu.max', ''), ('/sys/fs/cgroup/cpu.max', '')]
    """
    files = []
    for controllers, path in _memberships(membership):
        if not controllers:
            files += [(f"{folder}/cpu.max", "") for folder in _with_all_above(_CGROUPS, path)]
        elif "cpu" in controllers.split(","):
            mounts = dict.fromkeys((_CGROUPS / "cpu", _CGROUPS / controllers))
            folders = [folder for mount in mounts for folder in _with_all_above(mount, path)]
            files += [(f"{folder}/cpu.cfs_quota_us", f"{folder}/cpu.cfs_period_us") for folder in folders]
    return list(dict.fromkeys(files))


def _memberships(membership: str) -> list[tuple[str, str]]:
    """The controllers and the path of each line that is one of cgroups(7)."""
    lines = [line.split(":", 2) for line in membership.splitlines()]
    return [(line[1], line[2]) for line in lines if len(line) == 3]


def _with_all_above(mount: PurePosixPath, path: str) -> list[PurePosixPath]:
    own = PurePosixPath(path.strip("/"))
    return [mount / part for part in (own, *own.parents)]


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
