"""The frontier: which URL may be requested now. Pure: the time comes in as an argument, nothing here waits or connects.

Operations and their cost, h = hosts with work, r = jobs in backoff:

    add, done            O(1), O(log h) where the host must wait
    take                 O(1) for a ready host, O(log h + log r) for each one that wakes
    retry, hold          O(log r), O(1)
    next_event           O(1)

A host is in one of four places. It moves when a job is added, taken or done, and when its time comes:

    idle      nothing queued; forgotten as soon as its gap has passed
    ready     in the round of hosts that may be asked now
    waiting   in the heap, until `next_at`
    full      `per_host` requests in flight; `done` brings it back

So a host that must wait holds no fetch slot and no timer of its own: the shell keeps one timer for `next_event`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Literal

from scraper.records import Job


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What one host may be asked."""

    per_host: int
    """Requests in flight at the same time, at least 1."""
    delay_s: float
    """Seconds between the starts of two requests, 0 = no gap."""


@dataclass(slots=True, eq=False)
class _Host:
    name: str
    limits: HostLimits
    queue: deque[Job]
    in_flight: int = 0
    next_at: float = 0.0
    place: Literal["idle", "ready", "waiting", "full"] = "idle"


class Frontier:
    """Queues of jobs by host, with the gap and the concurrency of each host kept exactly.

    Not thread-safe: it belongs to the loop's thread. Times are seconds of any monotonic clock, the same for all calls.
    """

    def __init__(self, limits_of: Callable[[str], HostLimits]) -> None:
        """`limits_of` is asked once for each host, when its first job arrives."""
        self._limits_of = limits_of
        self._hosts: dict[str, _Host] = {}
        self._ready: deque[_Host] = deque()
        self._waiting: list[tuple[float, int, _Host]] = []
        self._retries: list[tuple[float, int, Job]] = []
        self._order = count()
        self._queued = 0
        self._in_flight = 0

    def __len__(self) -> int:
        """Jobs that are not in flight: queued, waiting for their host, or in backoff."""
        return self._queued + len(self._retries)

    @property
    def in_flight(self) -> int:
        """Jobs taken and not yet done."""
        return self._in_flight

    @property
    def hosts_waiting(self) -> int:
        """Hosts held back by a delay, Retry-After or backoff, with those that are idle while their gap still runs."""
        return len(self._waiting)

    @property
    def backoffs(self) -> int:
        """Jobs that wait for another try."""
        return len(self._retries)

    def add(self, job: Job, now: float) -> None:
        """Queue a job behind the others of its host."""
        host = self._host(job.host)
        host.queue.append(job)
        self._queued += 1
        if host.place == "idle":
            self._place(host, now)

    def retry(self, job: Job, at: float) -> None:
        """Queue a job that may not run before `at`; then it goes before the others of its host."""
        heappush(self._retries, (at, next(self._order), job))

    def hold(self, host_name: str, until: float) -> None:
        """Ask nothing of a host before `until`. Requests in flight go on; an earlier hold that lasts longer stays."""
        host = self._host(host_name)
        host.next_at = max(host.next_at, until)
        if host.place == "idle" and not host.in_flight:
            self._place(host, float("-inf"))

    def done(self, host_name: str, now: float) -> None:
        """Give back the slot of one job of this host. Every `take` needs exactly one `done`."""
        host = self._hosts[host_name]
        host.in_flight -= 1
        self._in_flight -= 1
        if host.place in ("full", "idle"):
            self._place(host, now)

    def take(self, now: float) -> Job | None:
        """Remove and give the next job that may run now, host by host in turn; None when all must wait."""
        self._wake(now)
        while self._ready:
            host = self._ready.popleft()
            if host.next_at <= now:
                return self._take_from(host, now)
            self._place(host, now)  # a hold came while it stood in the round
        return None

    def next_event(self) -> float | None:
        """When `take` could next give a job that it refuses now; None when only `add` or `done` can change that."""
        times = [heap[0][0] for heap in (self._waiting, self._retries) if heap]
        return min(times, default=None)

    def discard(self) -> int:
        """Drop every job that is not in flight (a shutdown); gives how many."""
        dropped = len(self)
        self._ready.clear()
        self._waiting.clear()
        self._retries.clear()
        self._queued = 0
        for host in self._hosts.values():
            host.queue.clear()
            host.place = "idle"
        return dropped

    def _host(self, name: str) -> _Host:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name, self._limits_of(name), deque())
        return host

    def _take_from(self, host: _Host, now: float) -> Job:
        job = host.queue.popleft()
        self._queued -= 1
        host.in_flight += 1
        self._in_flight += 1
        host.next_at = now + host.limits.delay_s
        self._place(host, now)
        return job

    def _wake(self, now: float) -> None:
        while self._retries and self._retries[0][0] <= now:
            job = heappop(self._retries)[2]
            host = self._host(job.host)
            host.queue.appendleft(job)
            self._queued += 1
            if host.place == "idle":
                self._place(host, now)
        while self._waiting and self._waiting[0][0] <= now:
            self._place(heappop(self._waiting)[2], now)

    def _place(self, host: _Host, now: float) -> None:
        """Put a host that stands nowhere where it belongs."""
        if host.in_flight >= host.limits.per_host:
            host.place = "full"
        elif host.next_at > now and (host.queue or not host.in_flight):
            host.place = "waiting"
            heappush(self._waiting, (host.next_at, next(self._order), host))
        elif host.queue:
            host.place = "ready"
            self._ready.append(host)
        else:
            host.place = "idle"
            if not host.in_flight:
                del self._hosts[host.name]
