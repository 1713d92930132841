"""How busy each stage was over an interval, and which of them limits the run. Pure.

The pipeline takes a `Sample` of itself whenever it is asked; two samples give a `Load`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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
    """CPU seconds of the loop's thread."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the settings allow."""

    concurrency: int
    processes: int


@dataclass(frozen=True, slots=True)
class Load:
    """Shares of what was possible between two samples, 0.0 to 1.0."""

    pages_per_s: float
    slots: float
    """Of the requests that fetch.concurrency allows at once, at the second sample."""
    parse: float
    write: float
    loop: float


BUSY = 0.85
"""A stage above this share has no time to spare: the rest is waiting for its turn on the CPU."""


def load_between(before: Sample, after: Sample, capacity: Capacity) -> Load:
    """The load of the interval; all 0 for an empty one."""
    seconds = after.at - before.at
    if seconds <= 0:
        return Load(0.0, 0.0, 0.0, 0.0, 0.0)
    return Load(
        pages_per_s=(after.done - before.done) / seconds,
        slots=after.in_flight / capacity.concurrency,
        parse=(after.parse_busy_s - before.parse_busy_s) / seconds / capacity.processes,
        write=(after.write_busy_s - before.write_busy_s) / seconds,
        loop=(after.loop_busy_s - before.loop_busy_s) / seconds,
    )


def limiting(load: Load, now: Sample) -> str:
    """What holds the run back, and the setting to look at, in one short line.

    The order follows the way of a page from its end: a stage that is full makes all stages before it wait.
    """
    if load.write > BUSY:
        return "writing: the disk is the limit"
    if now.bodies_waiting:
        return "run.memory: bodies wait for bytes"
    if load.parse > BUSY:
        return "parsing: raise parse.processes if cores are idle"
    if load.loop > BUSY:
        return "fetch CPU: one core is full"
    if load.slots > BUSY:
        return "server latency: raise fetch.concurrency"
    if now.queued > now.in_flight:
        return "politeness: hosts wait for their per_host, delay or backoff"
    if now.is_exhausted:
        return "the last URLs are under way"
    return "reading the list"
