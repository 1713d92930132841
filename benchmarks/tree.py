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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from benchmarks.results import Run

SAMPLE_S = 0.05
GROWN = 1.01
TIMEOUT_S = 180
_PR_SET_CHILD_SUBREAPER = 36
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class CommandError(Exception):
    """A command that was to be measured failed; with the end of what it said."""


def measure(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
    watch: Callable[[int, float], None] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Run:
    """Run a command to its end. `watch` is called at every sample, on a thread, with the pid and the seconds so far.

    Raises CommandError where it ends with another code than those expected, or does not end in time.
    """
    adopt_orphans()
    log = cwd / "command.log"
    with log.open("wb") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, process_group=0
        )
        try:
            with _Sampler(process.pid, watch) as sampler:
                code, main_cpu_s = _wait(process.pid, timeout_s)
                wall_s = time.perf_counter() - started
        finally:
            cpu_s = _reap_group(process.pid)
        process.returncode = code  # it was waited for here, not by subprocess
    if code not in expected:
        raise CommandError(f"{' '.join(command)} ended with {code}:\n{log.read_text(errors='replace')[-2000:]}")
    return Run(wall_s, cpu_s, main_cpu_s, sampler.peak_bytes)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent ends before them."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _wait(pid: int, timeout_s: float) -> tuple[int, float]:
    """Wait for the end of a process and leave it a zombie; gives its code and its own CPU seconds."""
    ended = Event()
    alarm = Thread(target=_kill_late, args=(pid, ended, timeout_s), daemon=True)
    alarm.start()
    info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ended.set()
    alarm.join()
    assert info is not None
    code = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
    return code, own_cpu_s(pid)


def _kill_late(pid: int, ended: Event, timeout_s: float) -> None:
    if not ended.wait(timeout_s):
        os.killpg(pid, signal.SIGKILL)


def _reap_group(group: int) -> float:
    """End what is left of a process group and wait for all of it; gives the CPU seconds of all."""
    os.killpg(group, signal.SIGKILL)
    cpu_s = 0.0
    with suppress(ChildProcessError):
        while True:
            usage = os.wait4(-group, 0)[2]
            cpu_s += usage.ru_utime + usage.ru_stime
    return cpu_s


def own_cpu_s(pid: int) -> float:
    """CPU seconds of a process, all threads, children left out; a zombie's are still there. To 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


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
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return 0


def pss_bytes(pid: int) -> int:
    """Resident bytes of one process, each shared page divided among its users; RSS where that cannot be read."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return rss_bytes(pid)


class _Sampler:
    """Samples a tree's memory on a thread, from entering to leaving the block."""

    def __init__(self, pid: int, watch: Callable[[int, float], None] | None) -> None:
        self.peak_bytes = 0
        self._pid = pid
        self._watch = watch
        self._highest_rss = 0
        self._stop = Event()
        self._started = time.perf_counter()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

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
        rss = sum(map(rss_bytes, pids))
        if rss > self._highest_rss * GROWN:
            self._highest_rss = rss
            self.peak_bytes = max(self.peak_bytes, sum(map(pss_bytes, pids)))
