"""The state of a run at one moment, and how busy each stage was between two. Pure.

The pipeline takes a `Sample` of itself whenever it is asked; those of the last seconds give a `Load`. What follows from
that for whoever waits is said in limits.py.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

WaitReason = Literal["per_host", "delay", "crawl_delay", "slowed", "held", "backoff", "robots", "lookup"]
"""Why jobs wait for their host though a request could be made.

    per_host      as many requests as it may have are in flight
    delay         politeness.delay
    crawl_delay   the same, as its robots.txt asks
    slowed        politeness.adaptive: it answered 429 or 503, or not at all
    held          it asked to be left alone for a while (Retry-After), or was on trial
    backoff       its jobs failed, and are to be tried again later
    robots        its robots.txt is being fetched
    lookup        its address is being looked up
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """What the jobs that are not in flight wait for."""

    ready: int = 0
    """Jobs that could be sent now but for fetch.concurrency."""
    hosts: int = 0
    """Hosts, or addresses where politeness goes by them, with jobs that wait for their turn."""
    host: str = ""
    """The one that most jobs wait for; "" for none."""
    why: WaitReason | None = None
    """What they wait for there; None where no job waits for its host."""
    jobs: int = 0
    """How many those are."""
    allowed: int = 0
    """Requests that the host may have in flight."""
    gap_s: float = 0.0
    """Seconds from one start to the next that it is given, 0 = none."""
    loop_s: float = 0.0
    """Sum of the seconds in which the loop could have run and had no core, as others had them; of several the mean."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of a run at one moment. Sums count from the start of the process, levels are of now."""

    at: float
    """Seconds of a monotonic clock."""
    input: int
    done: int
    """URLs that have an outcome, this session only."""
    open: int
    """URLs read and not done."""
    ok: int
    failures: Mapping[str, int]
    pages_bytes: int
    """Sum of the bodies' bytes, as they were sent."""
    in_flight: int
    """Requests under way."""
    queued: int
    """Jobs in the frontier."""
    backoffs: int
    """Jobs that wait for another try."""
    parsing: int
    """Pages between fetch and writer."""
    bodies_waiting: bool
    """Readers wait for bytes of run.memory."""
    is_exhausted: bool
    """The input was read to its end."""
    parse_busy_s: float
    write_busy_s: float
    loop_busy_s: float
    """CPU seconds of the loop's thread; of several loops the mean."""
    disk_busy_s: float = 0.0
    """The part of write_busy_s that went by while files or a database were forced to the disk."""
    requests: int = 0
    """Requests that ended with a page, or as a URL's failure."""
    request_s: float = 0.0
    """Sum of the seconds those took."""
    unwritten: int = 0
    """Outcomes handed to the writer and not yet durable."""
    row_bytes: int = 0
    """Bytes of run.memory that rows hold until they are durable."""
    page_bytes: int = 0
    """Bytes of run.memory that whole pages hold until they are rows. The rest is held by readers."""
    waits: Waits | None = None
    """None where nobody looked."""
    slots: int = 0
    """Requests that may be in flight by now, where that changes; 0 = as the capacity says."""
    process_s: float = 0.0
    """CPU seconds of the loop's process, all threads."""
    idle_s: float | None = None
    """Sum of the idle seconds of the cores that this process may run on; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the settings allow."""

    concurrency: int
    """Requests in flight."""
    processes: int
    """Pages in parse at once: processes, threads, or the one loop."""
    memory: int = 0
    """Bytes, 0 = not known."""
    model: str = "hybrid"
    """run.model."""
    cores: int = 1
    """Processors that this process may run on."""
    commit_every_s: float = 0.0
    """write.commit_every, 0 = not known."""
    finds_concurrency: bool = False
    """fetch.concurrency = "auto": `concurrency` is the most that it may come to."""
    shares_a_lock: bool = False
    """Its workers are threads of an interpreter with a GIL: together they have one core."""

    @property
    def parses_in_slot(self) -> bool:
        """Whether who fetches a page parses it before the next."""
        return self.model in ("threads", "processes")

    @property
    def parses_on_loop(self) -> bool:
        """Whether each page is parsed by the loop that fetched it."""
        return self.model in ("asyncio", "sharded")


@dataclass(frozen=True, slots=True)
class Load:
    """What went on between two samples; shares of what was possible, 0.0 to 1.0."""

    pages_per_s: float
    slots: float
    """Of the requests that fetch.concurrency allows at once."""
    parse: float
    write: float
    """Of one thread."""
    loop: float
    """Of one core for each loop."""
    loop_wait: float = 0.0
    """Of the time, in which the loop could have run and had no core."""
    disk: float = 0.0
    """The part of `write` that went by while the disk was waited for."""
    latency_s: float | None = None
    """Mean of the requests that ended; None where none did."""
    body_bytes: float = 0.0
    """Mean of the pages that came; 0 where none did."""
    idle_cores: float | None = None
    """None where that is not known."""
    short: float = 0.0
    """How often readers waited for run.memory."""
    row_bytes: float = 0.0
    """Of run.memory, held by rows; the mean."""
    page_bytes: float = 0.0
    """Of run.memory, held by whole pages that were not yet rows; the mean."""
    process: float = 0.0
    """Cores that the loop's process used, all its threads together; may be more than 1."""


NO_LOAD = Load(0.0, 0.0, 0.0, 0.0, 0.0)


class Window:
    """The samples of the last seconds: rates shall follow a change and still not dance."""

    def __init__(self, capacity: Capacity, seconds: float) -> None:
        """Begin without a sample."""
        self._capacity = capacity
        self._seconds = seconds
        self._samples: deque[Sample] = deque()

    def add(self, sample: Sample) -> Load:
        """The load since the oldest sample in the window; at least since the one before."""
        samples = self._samples
        while len(samples) > 1 and sample.at - samples[1].at >= self._seconds:
            samples.popleft()
        samples.append(sample)
        return load_over(list(samples), self._capacity)


def load_over(samples: Sequence[Sample], capacity: Capacity) -> Load:
    """The load between the first and the last of some samples, levels as the mean of all but the first.

    All 0 for an empty interval.
    """
    before, after, levels = samples[0], samples[-1], samples[1:]
    seconds = after.at - before.at
    if seconds <= 0:
        return NO_LOAD
    requests, pages = after.requests - before.requests, after.ok - before.ok
    idle_s = None if before.idle_s is None or after.idle_s is None else after.idle_s - before.idle_s
    return Load(
        pages_per_s=(after.done - before.done) / seconds,
        slots=_mean(level.in_flight / (level.slots or capacity.concurrency) for level in levels),
        parse=_parse_share(before, after, seconds, capacity.processes),
        write=_share(after.write_busy_s - before.write_busy_s, seconds),
        loop=_share(after.loop_busy_s - before.loop_busy_s, seconds),
        loop_wait=_share(_loop_wait_s(after) - _loop_wait_s(before), seconds),
        disk=_share(after.disk_busy_s - before.disk_busy_s, seconds),
        latency_s=(after.request_s - before.request_s) / requests if requests else None,
        body_bytes=(after.pages_bytes - before.pages_bytes) / pages if pages > 0 else 0.0,
        idle_cores=None if idle_s is None else idle_s / seconds,
        short=_mean(level.bodies_waiting for level in levels),
        row_bytes=_mean(level.row_bytes for level in levels),
        page_bytes=_mean(level.page_bytes for level in levels),
        process=(after.process_s - before.process_s) / seconds,
    )


def loops(capacity: Capacity) -> int:
    """Event loops that fetch."""
    return capacity.processes if capacity.model == "sharded" else 1


def most_waited(waits: Iterable[Waits]) -> Waits:
    """The waits of several frontiers as one: sums, and the host that most jobs wait for."""
    listed = list(waits)
    most = max(listed, key=lambda each: each.jobs, default=Waits())
    return replace(
        most,
        ready=sum(each.ready for each in listed),
        hosts=sum(each.hosts for each in listed),
        loop_s=sum(each.loop_s for each in listed) / max(len(listed), 1),
    )


def _loop_wait_s(sample: Sample) -> float:
    return 0.0 if sample.waits is None else sample.waits.loop_s


def _mean(values: Iterable[float]) -> float:
    """Of one or more; the module statistics takes 8 ms to import."""
    listed = list(values)
    return sum(listed) / len(listed)


def _share(busy_s: float, possible_s: float) -> float:
    return min(max(busy_s / possible_s, 0.0), 1.0)


def _parse_share(before: Sample, after: Sample, seconds: float, workers: int) -> float:
    """Workers tell of their time when a page is done: in between, one that is long under way shows by its being there.

    Before the first page was done they may still be starting.
    """
    busy_s = after.parse_busy_s - before.parse_busy_s
    if not busy_s and before.parse_busy_s:
        return min(before.parsing, after.parsing, workers) / workers
    return _share(busy_s, seconds * workers)
