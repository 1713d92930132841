"""Runs a command and measures its whole process tree: wall time, CPU and peak memory. Linux only.

CPU is exact: the command gets a process group of its own, this process adopts whatever the command leaves behind
(PR_SET_CHILD_SUBREAPER), and the rusage of every member of the group is added up, its waited-for children included.

Memory is sampled every 50 ms. Reading PSS (shared pages counted once) stops a process for about a millisecond, so it is
only read where the sum of RSS, which is cheap, has grown by a hundredth beyond its peak so far.
"""

import ctypes
import os
import signal
import subprocess
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

SAMPLE_S = 0.05
GROWN = 1.01
_PR_SET_CHILD_SUBREAPER = 36


class CommandError(Exception):
    """A command that was to be measured failed; with its code and the end of what it said."""

    def __init__(self, command: Sequence[str], code: int, said: str) -> None:
        """`code`: the exit code, negative for a signal."""
        super().__init__(command, code, said)
        self.code = code
        self.said = said

    def __str__(self) -> str:
        """The command, its code and what it said."""
        command: Sequence[str] = self.args[0]
        return f"{' '.join(command)} ended with {self.code}:\n{self.said}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process tree used, from its start to its end."""

    wall_s: float
    cpu_s: float
    """User and system time of all its processes."""
    main_cpu_s: float
    """Of these, what the process that was started used itself, all its threads."""
    peak_bytes: int
    """The most memory that all its processes held at once, pages they share counted once."""
    course: tuple[tuple[float, float], ...] = ()
    """(seconds since the epoch, CPU seconds up to then), every SAMPLE_S; to some 10 ms for each process."""

    def cpu_before_s(self, at: float) -> float:
        """CPU seconds up to a moment since the epoch, by the straight line between two samples; 0 without a course.

        >>> Usage(2.0, 3.0, 3.0, 0, ((10.0, 1.0), (11.0, 2.0))).cpu_before_s(10.5)
        1.5
        """
        after = bisect_left(self.course, (at,))
        if after == len(self.course):
            return self.course[-1][1] if self.course else 0.0
        (until, cpu_s) = self.course[after]
        (since, before_s) = self.course[after - 1] if after else (until - SAMPLE_S, cpu_s)
        return before_s + (cpu_s - before_s) * max(at - since, 0.0) / (until - since)


def measure(
    command: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
    watch: Callable[[int, float], None] | None = None,
    timeout_s: float | None = None,
) -> Usage:
    """Run a command to its end; what it says goes into `log`. `timeout_s`: None = as long as it takes.

    `watch` is called at every sample, on a thread, with the pid and the seconds so far. Raises CommandError where it
    ends with another code than those expected, or does not end in time. Whatever else ends the wait, as Ctrl-C does,
    ends the whole tree.
    """
    adopt_orphans()
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, process_group=0
        )
        sampler = _Sampler(process.pid, watch)
        try:
            with sampler:
                code, main_cpu_s = _wait(process.pid, timeout_s)
                wall_s = time.perf_counter() - started
        finally:
            cpu_s = _reap(process.pid, sampler.seen)
            process.returncode = 0  # it was waited for here, not by subprocess
    if code not in expected:
        raise CommandError(command, code, log.read_text(errors="replace")[-2000:])
    return Usage(wall_s, cpu_s, main_cpu_s, sampler.peak_bytes, tuple(sampler.course))


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent ends before them."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _wait(pid: int, timeout_s: float | None) -> tuple[int, float]:
    """Wait for the end of a process and leave it a zombie; gives its code and its own CPU seconds."""
    ended = Event()
    alarm = Thread(target=_kill_late, args=(pid, ended, timeout_s), daemon=True)
    alarm.start()
    try:
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    finally:
        ended.set()
        alarm.join()
    assert info is not None
    code = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
    return code, own_cpu_s(pid)


def _kill_late(pid: int, ended: Event, timeout_s: float | None) -> None:
    if not ended.wait(timeout_s):
        _kill(list(tree_of(pid)))  # its group alone would leave those that have groups of their own


def _reap(group: int, seen: Iterable[int]) -> float:
    """End what is left of a process and its descendants, and wait for it; gives the CPU seconds of all.

    `seen`: descendants by their ids; those whose parents have ended are this process's children by now.
    """
    mine = set(tree_of(os.getpid()))
    left = [*tree_of(group), *(pid for pid in seen if pid in mine)]
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    _kill(left)
    return _cpu_of(-group) + sum(map(_cpu_of, set(left)))


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _cpu_of(pid: int) -> float:
    """Wait for a child, or with a negative id for all of a group; what is another's child counts with its parent."""
    cpu_s = 0.0
    with suppress(ChildProcessError):
        while True:
            usage = os.wait4(pid, 0)[2]
            cpu_s += usage.ru_utime + usage.ru_stime
    return cpu_s


def own_cpu_s(pid: int) -> float:
    """CPU seconds of a process, all threads, children left out; a zombie's are still there. To 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return float((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def tree_of(pid: int) -> Iterator[int]:
    """A process and all that descend from it."""
    yield pid
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from tree_of(int(child))


def rss_bytes(pid: int) -> int:
    """Resident bytes of one process, shared pages included; 0 for one that is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def pss_bytes(pid: int) -> int:
    """Resident bytes of one process, each shared page divided among its users; RSS where that cannot be read."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return rss_bytes(pid)


class _Sampler:
    """Samples a tree's memory and CPU on a thread, from entering to leaving the block."""

    def __init__(self, pid: int, watch: Callable[[int, float], None] | None) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._watch = watch
        self._highest_rss = 0
        self.course: list[tuple[float, float]] = []
        self._cpu_s: dict[int, float] = {}
        self._stop = Event()
        self._started = time.perf_counter()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

    @property
    def seen(self) -> Iterable[int]:
        """Every process that was there at a sample."""
        return self._cpu_s

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(SAMPLE_S):
            self._sample()
            if self._watch is not None:
                self._watch(self._pid, time.perf_counter() - self._started)

    def _sample(self) -> None:
        pids = list(tree_of(self._pid))
        for pid in pids:
            with suppress(OSError):  # it has ended meanwhile; what it used by then stays counted
                self._cpu_s[pid] = own_cpu_s(pid)
        self.course.append((time.time(), sum(self._cpu_s.values())))
        rss = sum(map(rss_bytes, pids))
        if rss > self._highest_rss * GROWN:
            self._highest_rss = rss
            self.peak_bytes = max(self.peak_bytes, sum(map(pss_bytes, pids)))
