"""What can be seen of a process from outside: its children, its connections, and when something has come about."""

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

ESTABLISHED = "01"


def wait_until(is_true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Look every few milliseconds; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def connections_to(url: str) -> int:
    """Open connections to a server of this machine: so many requests are under way where none is kept for later."""
    port = f":{urlsplit(url).port:04X}"
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(remote.endswith(port) and state == ESTABLISHED for _, _, remote, state, *_ in lines)
