"""A process and all that it started, as /proc tells of them: their memory, and whether any is left."""

import os
from dataclasses import dataclass, field
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Tree:
    """Sampled again and again while the process `root` lives."""

    root: int
    peak_bytes: int = 0
    """The most that all together had resident at one moment. What they share counts for each: it is a bound."""
    seen: dict[int, str] = field(default_factory=dict)
    """pid -> when it was started, in the kernel's ticks."""

    def sample(self) -> None:
        processes = _all_processes()
        members = _descendants(self.root, {pid: parent for pid, (parent, _) in processes.items()})
        self.peak_bytes = max(self.peak_bytes, sum(map(_resident_bytes, members)))
        self.seen |= {pid: processes[pid][1] for pid in members}

    def left(self) -> list[int]:
        """Those of its processes that live still."""
        processes = _all_processes()
        return [pid for pid, started in self.seen.items() if processes.get(pid, (0, ""))[1] == started]


def _all_processes() -> dict[int, tuple[int, str]]:
    """pid -> (parent, start time)."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if fields[0] != "Z":
            found[int(path.parent.name)] = int(fields[1]), fields[19]
    return found


def _descendants(root: int, parents: dict[int, int]) -> set[int]:
    members = {root} & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return members


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0
