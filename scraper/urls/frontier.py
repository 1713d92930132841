"""The frontier: which URL may be requested now. Pure: the time comes in as an argument, nothing here waits or connects.

Jobs stand in lanes: one for each host or, where many names lead to one address, one for the address. Operations and
their cost, h = lanes with work, r = jobs in backoff:

    add, done            O(1), O(log h) where the lane must wait
    take                 O(1) for a ready lane, O(log h + log r) for each one that wakes: once for a job or a hold
    retry, hold          O(log r), O(1)
    next_event           O(1)
    drain, discard       all that is queued there, and r
    waits                h + r

A lane is in one of four places. It moves when a job is added, taken or done, and when its time comes:

    idle      nothing queued; forgotten as soon as its gap has passed
    ready     in the round of lanes that may be asked now
    waiting   in the heap, until `next_at`
    full      as many requests in flight as its pace allows; `done` brings it back

So a host that must wait holds no fetch slot and no timer of its own: the shell keeps one timer for `next_event`. A
ready lane is passed over by each other lane at most once before its turn.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Literal

from scraper import weburl
from scraper.records import Fault, Job
from scraper.stats import WaitReason, Waits
from scraper.urls.breaker import Breakers
from scraper.urls.pace import HostLimits, Pace, Sign

MOST_PACES = 50_000
"""Slowed or delayed hosts remembered while none of their URLs is queued, some 0.3 KB each; beyond, the oldest goes."""


@dataclass(slots=True, eq=False)
class _Lane:
    name: str
    pace: Pace
    queue: deque[Job]
    in_flight: int = 0
    started_at: float = float("-inf")
    next_at: float = float("-inf")
    place: Literal["idle", "ready", "waiting", "full"] = "idle"

    def keep_gap(self) -> None:
        """Let the gap that the pace now asks for count from the last start."""
        self.next_at = max(self.next_at, self.started_at + self.pace.gap_s)

    def why(self, now: float) -> WaitReason:
        """What its jobs wait for, where they wait."""
        if self.next_at > max(self.started_at + self.pace.gap_s, now):
            return "held"
        return self.pace.why(self.place == "full")


class Frontier:
    """Queues of jobs by lane, with the gap and the concurrency of each lane kept exactly.

    Not thread-safe: it belongs to the loop's thread. Times are seconds of any monotonic clock, the same for all calls.
    A lane's name is the job's host where none is given.
    """

    def __init__(self, limits_of: Callable[[str], HostLimits]) -> None:
        """`limits_of` is asked once for each lane, when its first job arrives."""
        self._limits_of = limits_of
        self._lanes: dict[str, _Lane] = {}
        self._ready: deque[_Lane] = deque()
        self._waiting: list[tuple[float, int, _Lane]] = []
        self._retries: list[tuple[float, int, Job, str]] = []
        self._flights: dict[int, tuple[Job, _Lane, float]] = {}
        """The jobs taken by their identity, each with its lane and when. Held here, so that no other gets its id."""
        self._paces: dict[str, Pace] = {}
        self._breakers = Breakers()
        self._order = count()
        self._queued = 0

    def __len__(self) -> int:
        """Jobs that are not in flight: queued, waiting for their lane, or in backoff."""
        return self._queued + len(self._retries)

    @property
    def in_flight(self) -> int:
        """Jobs taken and not yet done."""
        return len(self._flights)

    @property
    def backoffs(self) -> int:
        """Jobs that wait for another try."""
        return len(self._retries)

    # -- jobs -----------------------------------------------------------------------------------------------------

    def add(self, job: Job, now: float, lane: str | None = None) -> Fault | None:
        """Queue a job behind the others of its lane. Where its origin is set aside it is not queued: gives why."""
        name = lane or job.host
        if self._breakers.book:
            origin = weburl.origin(job.url)
            refusal = self._breakers.refusal(origin, now)
            if refusal is not None:
                return refusal
            if self._breakers.is_on_trial(origin, now):
                self._lane(name).pace.restart()
        found = self._lanes.get(name) or self._lane(name)
        found.queue.append(job)
        self._queued += 1
        if found.place == "idle":
            self._place(found, now)
        return None

    def retry(self, job: Job, at: float, lane: str | None = None) -> None:
        """Queue a job that may not run before `at`; then it goes before the others of its lane."""
        heappush(self._retries, (at, next(self._order), job, lane or job.host))

    def take(self, now: float) -> Job | None:
        """Remove and give the next job that may run now, lane by lane in turn; None when all must wait."""
        if self._retries or self._waiting:
            self._wake(now)
        while self._ready:
            lane = self._ready.popleft()
            if lane.queue and lane.next_at <= now and lane.in_flight < lane.pace.allowed:
                return self._take_from(lane, now)
            self._place(lane, now)  # a hold, a cut or a drain came while it stood in the round
        return None

    def done(self, job: Job, now: float, sign: Sign | None = None) -> None:
        """Give back the slot of a job that was taken. Every `take` needs exactly one `done`, of the very same job.

        `sign`: what the answer says of the host's load, None where there was none or it says nothing.
        """
        _, lane, sent_at = self._flights.pop(id(job))
        lane.in_flight -= 1
        if sign is not None:
            lane.pace.on_answer(now - sent_at, sign, sent_at, now)
            if sign != "good":
                lane.keep_gap()
            elif self._breakers.book:
                self._breakers.on_answer(weburl.origin(job.url))
        if lane.place in ("full", "idle"):
            self._place(lane, now)

    def next_event(self) -> float | None:
        """When `take` could next give a job that it refuses now; None when only `add` or `done` can change that."""
        times = [heap[0][0] for heap in (self._waiting, self._retries) if heap]
        return min(times, default=None)

    def waits(self, now: float) -> Waits:
        """What the jobs that are not in flight wait for, and for which lane most of them do.

        Looks at every lane: 1 ms for 20,000, so it is to be asked now and then.
        """
        waiting = [lane for lane in self._lanes.values() if lane.queue and lane.place in ("waiting", "full")]
        ready = sum(max(min(len(lane.queue), lane.pace.allowed - lane.in_flight), 0) for lane in self._ready)
        told = Waits(ready, len(waiting) + len(self._ready))
        lane = max(waiting, key=lambda lane: len(lane.queue), default=None)
        if self._retries:
            name, jobs = Counter(entry[3] for entry in self._retries).most_common(1)[0]
            told = replace(told, hosts=max(told.hosts, 1), host=name, why="backoff", jobs=jobs)
        if lane is None or len(lane.queue) < told.jobs:
            return told
        return replace(
            told,
            host=lane.name,
            why=lane.why(now),
            jobs=len(lane.queue),
            allowed=lane.pace.allowed,
            gap_s=lane.pace.gap_s,
        )

    def discard(self) -> int:
        """Drop every job that is not in flight (a shutdown); gives how many."""
        dropped = len(self)
        self._ready.clear()
        self._waiting.clear()
        self._retries.clear()
        self._queued = 0
        for lane in self._lanes.values():
            lane.queue.clear()
            lane.place = "idle"
        return dropped

    # -- hosts ----------------------------------------------------------------------------------------------------

    def streak(self, job: Job) -> int:
        """How many round trips in a row met trouble before this job's answer, in the lane that it was taken from."""
        return self._flights[id(job)][1].pace.streak

    def hold(self, lane: str, until: float) -> None:
        """Ask nothing of a lane before `until`. Requests in flight go on; an earlier hold that lasts longer stays."""
        held = self._lane(lane)
        held.next_at = max(held.next_at, until)
        if held.place == "idle" and not held.in_flight:
            self._place(held, float("-inf"))

    def set_delay(self, lane: str, seconds: float) -> None:
        """From now on one request at a time of a lane, and at least so many seconds between two; 0 ends that.

        A gap longer than that stays. It is remembered while the lane has nothing to do. ValueError for a delay below 0.
        """
        found = self._lanes.get(lane)
        if found is None:
            pace = self._paces.pop(lane, None) or Pace(self._limits_of(lane))
            pace.ask_delay(seconds)
            self._keep_pace(lane, pace)
        else:
            found.pace.ask_delay(seconds)
            found.keep_gap()

    def fail(self, job: Job, fault: Fault, is_final: bool, now: float) -> Fault | None:
        """Count a fault of a job's origin. Where that is set aside, now or already, gives the fault of all its URLs.

        Then this job is not to be tried again, and `drain` gives the others. `is_final`: it will not be anyway.
        """
        return self._breakers.on_fault(weburl.origin(job.url), fault, is_final, now)

    def drain(self, origin: str, lane: str) -> list[Job]:
        """Remove and give every job of an origin that is not in flight: those queued in its lane, those in backoff."""
        drained = [entry[2] for entry in self._retries if _is_of(origin, entry[2])]
        if drained:
            self._retries = [entry for entry in self._retries if not _is_of(origin, entry[2])]
            heapify(self._retries)
        found = self._lanes.get(lane)
        if found is None:
            return drained
        queued = [job for job in found.queue if _is_of(origin, job)]
        found.queue = deque(job for job in found.queue if not _is_of(origin, job))
        self._queued -= len(queued)
        return queued + drained

    def _lane(self, name: str) -> _Lane:
        lane = self._lanes.get(name)
        if lane is None:
            pace = self._paces.pop(name, None) or Pace(self._limits_of(name))
            lane = self._lanes[name] = _Lane(name, pace, deque())
        return lane

    def _keep_pace(self, name: str, pace: Pace) -> None:
        if pace.is_changed:
            if len(self._paces) >= MOST_PACES:
                del self._paces[next(iter(self._paces))]
            self._paces[name] = pace

    # -- places ---------------------------------------------------------------------------------------------------

    def _take_from(self, lane: _Lane, now: float) -> Job:
        job = lane.queue.popleft()
        self._queued -= 1
        self._flights[id(job)] = (job, lane, now)
        lane.in_flight += 1
        lane.started_at = now
        lane.next_at = now + lane.pace.gap_s
        self._place(lane, now)
        return job

    def _wake(self, now: float) -> None:
        while self._retries and self._retries[0][0] <= now:
            _, _, job, name = heappop(self._retries)
            lane = self._lane(name)
            lane.queue.appendleft(job)
            self._queued += 1
            if lane.place == "idle":
                self._place(lane, now)
        while self._waiting and self._waiting[0][0] <= now:
            self._place(heappop(self._waiting)[2], now)

    def _place(self, lane: _Lane, now: float) -> None:
        """Put a lane that stands nowhere where it belongs."""
        if lane.in_flight >= lane.pace.allowed:
            lane.place = "full"
        elif lane.next_at > now and (lane.queue or not lane.in_flight):
            lane.place = "waiting"
            heappush(self._waiting, (lane.next_at, next(self._order), lane))
        elif lane.queue:
            lane.place = "ready"
            self._ready.append(lane)
        else:
            lane.place = "idle"
            if not lane.in_flight:
                del self._lanes[lane.name]
                self._keep_pace(lane.name, lane.pace)


def _is_of(origin: str, job: Job) -> bool:
    return weburl.origin(job.url) == origin
