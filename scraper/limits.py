"""What limits a run: the one stage, edge or host that keeps it from being faster. Pure.

It is judged from the end of a page's way to its start: a stage that is full makes all stages before it wait, so the
last full one is the limit. An edge that is full (run.memory) is the fault of whoever holds its bytes.

    all is done but written ─► disk | writer
    readers wait for memory ─► disk | writer | parse, whoever holds it and is busy; else ─► memory
    the writer full ─► writer
    parse workers full ─► parse          on a loop that also parses, the larger part of its time
    the loop's core full ─► fetch        so are all cores, where the larger user is named
    all requests in flight ─► latency
    jobs wait for their host ─► politeness
    the list not at its end ─► source    else the last URLs are under way ─► ending
"""

from dataclasses import dataclass, field, fields
from typing import Any

from scraper.advice import SHORT, WORDS, Advice, Name, advise, used_cores
from scraper.stats import NO_LOAD, Capacity, Load, Sample, Waits, Window, loops

FULL = 0.85
"""A stage above this share has no time to spare: the rest is waiting for its turn on the CPU."""
HALF = 0.5
"""A writer above this share that holds the memory is what the memory waits for: it and the readers take turns."""
BUSY = 0.75
"""The same of workers: of several one has always something to do."""
NO_IDLE = 0.1
"""Of a core, for each core: less than that is idle where all are full."""
PILE_S = 2.0
"""Outcomes that wait for longer than a commit is due, and so much more, pile up."""
JUDGED_OVER_S = 1.0
MOST_HOSTS = 1_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What limits a run now."""

    name: Name
    advice: Advice

    def __str__(self) -> str:
        """On one line, for people."""
        return f"{WORDS[self.name]}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Limit:
    """What limited a session, for a share of its time."""

    name: Name
    share: float
    advice: Advice

    def __str__(self) -> str:
        """On one line, for people."""
        return f"{WORDS[self.name]}, {self.share:.0%} of the time: {self.advice}".replace("%", " %", 1)

    def as_json(self) -> dict[str, Any]:
        """The entry of telemetry.json and summary.json."""
        gain = self.advice.gain
        return {
            "name": self.name,
            "share": round(self.share, 3),
            "advice": self.advice.text,
            "gain": None if gain is None else round(gain, 2),
        }


def bottleneck(load: Load, now: Sample, capacity: Capacity, *, only_writes: bool = False) -> Name | None:
    """What limits a run; None while it starts and nothing has come of it yet.

    `only_writes`: all of its pages were done when the time began that is judged.
    """
    are_slots_full = load.slots > FULL and _could_send_more(now.waits, capacity)
    if not now.done:
        return _at_the_start(load, now, capacity.memory, are_slots_full)
    writer: Name = "disk" if load.disk > load.write / 2 else "writer"
    if only_writes:
        return writer
    if load.short > SHORT:
        return _holder(load, writer, capacity.memory)
    if load.write > FULL and (writer == "writer" or _pile_up(load, now, capacity)):
        return writer
    if name := _cpu(load, capacity):
        return name
    if are_slots_full:
        is_mostly_parse = capacity.parses_in_slot and load.parse > HALF
        return "parse" if is_mostly_parse else "latency"
    return _of_jobs(load, now, capacity)


def _at_the_start(load: Load, now: Sample, memory: int, are_slots_full: bool) -> Name | None:
    """Nothing is done yet: who is busy is busy with starting, and whole pages wait for that."""
    if now.waits is not None and now.waits.why and not now.in_flight and not now.parsing:
        return "politeness"  # nothing is under way: the first hosts do not let it begin
    if load.short > SHORT:
        return "memory" if load.page_bytes <= HALF * memory else None
    return "latency" if are_slots_full else None


def _only_writes(now: Sample) -> bool:
    """Whether all is done but written."""
    return now.is_exhausted and not now.open


def _pile_up(load: Load, now: Sample, capacity: Capacity) -> bool:
    """Whether outcomes wait for the disk. Until then it may be as busy as it likes: rows share their fsyncs."""
    return now.unwritten > (capacity.commit_every_s + PILE_S) * max(load.pages_per_s, 1.0)


def _holder(load: Load, writer: Name, memory: int) -> Name:
    """Whose fault it is that memory is short: a stage's that holds most of it and is busy; else it is too small."""
    if load.row_bytes > HALF * memory and load.write > HALF:
        return writer
    return "parse" if load.page_bytes > HALF * memory and load.parse > BUSY else "memory"


def _of_jobs(load: Load, now: Sample, capacity: Capacity) -> Name:
    """What the jobs wait for where no stage is full."""
    if now.waits is not None and now.waits.ready and not now.waits.why:
        return _larger(load, capacity)  # they could be sent, and the loop has not come to it
    if now.queued or (now.waits is not None and now.waits.why):
        return "politeness"
    if now.is_exhausted:
        return "parse" if not now.in_flight and now.parsing > capacity.processes else "ending"
    return "latency" if load.slots > FULL else "source"


def _could_send_more(waits: Waits | None, capacity: Capacity) -> bool:
    """Whether jobs wait for nothing but a slot. A host that may have all of them (per_host = "auto") has more then."""
    return waits is None or waits.ready > 0 or (waits.why == "per_host" and waits.allowed >= capacity.concurrency)


def _cpu(load: Load, capacity: Capacity) -> Name | None:
    """The stages that compute."""
    larger = _larger(load, capacity)
    if capacity.parses_on_loop:
        return larger if load.loop + load.loop_wait > FULL else None
    if load.parse > FULL:
        return "parse"
    if load.loop + load.loop_wait > FULL:
        return "fetch"
    if capacity.shares_a_lock and load.process > FULL:
        return larger
    is_full = load.idle_cores is not None and load.idle_cores < NO_IDLE * capacity.cores
    is_ours = used_cores(load, capacity) > capacity.cores / 2  # who else uses the machine is no stage of ours
    return larger if is_full and is_ours else None


def _larger(load: Load, capacity: Capacity) -> Name:
    """Which of parsing and fetching uses more CPU. Of threads that do both only the time is known."""
    parse = load.parse * capacity.processes
    rest = load.loop * loops(capacity) - (parse if capacity.parses_on_loop else 0.0)
    return "parse" if parse > (1.0 if capacity.model == "threads" else rest) else "fetch"


@dataclass(slots=True)
class _Tally:
    """The time for which something was the limit, and how it was then."""

    seconds: float = 0.0
    load: Load = NO_LOAD
    waits: dict[str, tuple[float, Waits]] = field(default_factory=dict)
    """By host: for how long it was the one most waited for, and how at the last."""

    def add(self, seconds: float, load: Load, waits: Waits | None) -> None:
        """Count an interval."""
        self.load = _mean(self.load, self.seconds, load, seconds)
        self.seconds += seconds
        if waits is None:
            return
        if waits.host not in self.waits and len(self.waits) >= MOST_HOSTS:
            del self.waits[min(self.waits, key=lambda host: self.waits[host][0])]
        before_s, _ = self.waits.get(waits.host, (0.0, waits))
        self.waits[waits.host] = (before_s + seconds, waits)

    def longest(self) -> Waits | None:
        """Of the host that was longest waited for."""
        return max(self.waits.values(), key=lambda entry: entry[0], default=(0.0, None))[1]


class Judge:
    """Judges a session interval by interval, and tells in the end what limited it for how much of its time."""

    def __init__(self, capacity: Capacity) -> None:
        """Nothing was judged."""
        self._capacity = capacity
        self._window = Window(capacity, JUDGED_OVER_S)
        self._tallies: dict[Name, _Tally] = {}
        self._before: Sample | None = None
        self.load = NO_LOAD
        """Of the last second."""
        self.verdict: Verdict | None = None
        """Of the last second; None while a run starts."""

    def add(self, sample: Sample) -> None:
        """Judge the time since the sample before this one."""
        self.load = self._window.add(sample)
        before, self._before = self._before, sample
        if before is None:
            return
        name = bottleneck(self.load, sample, self._capacity, only_writes=_only_writes(before))
        if name is None or _only_writes(sample) > _only_writes(before):
            self._window = Window(self._capacity, JUDGED_OVER_S)
            self._window.add(sample)  # what the start took says nothing of what follows, nor that of the end
        if name is None:
            self.verdict = None
            return
        self._tallies.setdefault(name, _Tally()).add(sample.at - before.at, self.load, sample.waits)
        self.verdict = Verdict(name, advise(name, self.load, sample.waits, self._capacity))

    @property
    def judged_s(self) -> float:
        """The seconds that the limits are shares of."""
        return sum(tally.seconds for tally in self._tallies.values())

    def limits(self) -> list[Limit]:
        """What limited the session, the longest first; the shares are of the time that was judged."""
        judged_s = self.judged_s
        limits = [
            Limit(name, tally.seconds / judged_s, advise(name, tally.load, tally.longest(), self._capacity))
            for name, tally in self._tallies.items()
            if tally.seconds > 0
        ]
        return sorted(limits, key=lambda limit: -limit.share)


def _mean(one: Load, one_s: float, other: Load, other_s: float) -> Load:
    """The mean of two loads by their seconds; where one does not know a figure, that of the other."""
    if not one_s:
        return other

    def mean(a: float | None, b: float | None) -> float | None:
        if a is None or b is None:
            return b if a is None else a
        return (a * one_s + b * other_s) / (one_s + other_s)

    values = {each.name: mean(getattr(one, each.name), getattr(other, each.name)) for each in fields(Load)}
    return Load(**values)  # type: ignore[arg-type]  # a figure that is always known stays so
