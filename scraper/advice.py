"""What to change where a run is limited, and what that gains at most: from what the stages had to spare. Pure.

A gain is how many times as many pages a second a run can give before the next stage is full. It is a bound and no
promise: the server may slow down, or the pages differ. None: no setting gains anything, and the text says why.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from scraper.stats import Capacity, Load, WaitReason, Waits, loops

Name = Literal["politeness", "latency", "fetch", "parse", "writer", "disk", "memory", "source", "ending"]

WORDS: dict[Name, str] = {
    "politeness": "politeness",
    "latency": "server latency",
    "fetch": "fetch CPU",
    "parse": "parsing",
    "writer": "writing",
    "disk": "the disk",
    "memory": "run.memory",
    "source": "reading the list",
    "ending": "the last URLs",
}
"""The names as users read them."""

LEAST_GAIN = 1.1
"""Less is within the noise of a run, and no reason to change a setting."""
MOST_STEP = 4
"""A setting is raised at most so many times at once: what is measured now says little about what is far away."""
MOST_CONCURRENCY = 4096
"""As fetch.concurrency allows."""
SPARE_CORE = 0.4
"""Idle cores that one more process finds work for."""
SHORT = 0.5
"""Memory is short where readers wait for it more than so often."""
OFTEN_S = 1.0
"""Commits that follow each other more quickly share their fsyncs among few rows."""
PAGE_COST = 2048
"""Bytes that a page holds of run.memory besides its body."""
MIB = 2**20


class Advice(NamedTuple):
    """What to do."""

    text: str
    """One short line: the setting, from what to what; or why there is none."""
    gain: float | None
    """Times as many pages a second, at most; None where nothing can be gained."""

    def __str__(self) -> str:
        """The line, with the gain behind it.

        >>> str(Advice("raise parse.processes from 1 to 2", 1.94)), str(Advice("the list comes slowly", None))
        ('raise parse.processes from 1 to 2 (up to 1.9x)', 'the list comes slowly')
        """
        return self.text if self.gain is None else f"{self.text} (up to {self.gain:.1f}x)"


class Facts(NamedTuple):
    """What an advice is made from."""

    load: Load
    waits: Waits
    capacity: Capacity


def advise(name: Name, load: Load, waits: Waits | None, capacity: Capacity) -> Advice:
    """What to do about a limit. `load`: the mean over the time in which it was the limit."""
    advice = _MAKERS[name](Facts(load, waits or Waits(), capacity))
    if advice.gain is not None and advice.gain < LEAST_GAIN:
        return Advice(_NO_GAIN[name].format(cores=capacity.cores), None)
    return advice


_NO_GAIN: dict[Name, str] = {
    "politeness": "the other stages are nearly full: no setting gains much",
    "latency": "and the CPU is nearly full too: no setting gains much",
    "fetch": "all {cores} cores are full: only cheaper pages or a faster machine help",
    "parse": "all {cores} cores are full: only simpler fields or a faster machine help",
    "writer": "the other stages are nearly full: no setting gains much",
    "disk": "the other stages are nearly full: no setting gains much",
    "memory": "the other stages are nearly full: no setting gains much",
    "source": "",
    "ending": "",
}
"""What is said in place of an advice that gains less than LEAST_GAIN."""


def used_cores(load: Load, capacity: Capacity) -> float:
    """Cores that the stages keep busy, about."""
    if capacity.model in ("threads", "asyncio-threads"):
        return load.process
    beside = 0.0 if capacity.parses_on_loop else load.parse * capacity.processes
    return load.loop * loops(capacity) + load.write + beside


def _headroom(facts: Facts, *but: str) -> float:
    """How many times as much the stages can do before one is full, or all cores; those in `but` left out."""
    load, capacity = facts.load, facts.capacity
    shares = {"loop": load.loop, "parse": load.parse, "write": load.write - load.disk}
    if capacity.shares_a_lock:
        shares["lock"] = load.process
    bounds = [1 / share for stage, share in shares.items() if stage not in but and share > 0]
    used = used_cores(load, capacity)
    if load.idle_cores is not None and used > 0:
        bounds.append(max(used + load.idle_cores, capacity.cores / 2) / used)  # others would have to share
    return max(min(bounds, default=float(MOST_STEP)), 1.0)


def _spare(facts: Facts) -> float:
    """Idle cores; where nobody knows, those that the workers leave."""
    idle, capacity = facts.load.idle_cores, facts.capacity
    return max(capacity.cores - used_cores(facts.load, capacity), 0.0) if idle is None else idle


# -- each limit -------------------------------------------------------------------------------------------------------


def _on_latency(facts: Facts) -> Advice:
    capacity, slots = facts.capacity, facts.capacity.concurrency
    headroom = min(_headroom(facts), MOST_STEP)
    if facts.waits.ready:
        headroom = min(headroom, (slots + facts.waits.ready) / slots)
    target = min(_next_power(slots, headroom), MOST_CONCURRENCY)
    took = "" if facts.load.latency_s is None else f"{_duration(facts.load.latency_s)} a request: "
    if capacity.finds_concurrency:
        return Advice(f'{took}fetch.concurrency = "auto" asks for as much as gains anything: nothing to set', None)
    setting = "parse.processes" if capacity.model == "processes" else "fetch.concurrency"
    return Advice(f"{took}raise {setting} from {slots} to {target}", min(headroom, target / slots))


def _on_fetch(facts: Facts) -> Advice:
    capacity, hosts = facts.capacity, facts.waits.hosts
    if capacity.model == "sharded":
        return _more_processes(facts)
    if _spare(facts) < SPARE_CORE:
        return Advice(_NO_GAIN["fetch"].format(cores=capacity.cores), None)
    if hosts == 1:
        return Advice("one core is full, and one host cannot be shared out: only cheaper pages help", None)
    return Advice(
        f'one core is full: change run.model from "{capacity.model}" to "sharded"',
        min(_headroom(facts, "loop", "parse", "lock"), hosts or MOST_STEP),
    )


def _on_parse(facts: Facts) -> Advice:
    capacity, load = facts.capacity, facts.load
    if capacity.model in ("hybrid", "processes", "sharded"):
        return _more_processes(facts)
    if _spare(facts) < SPARE_CORE:
        return Advice(_NO_GAIN["parse"].format(cores=capacity.cores), None)
    fetch = max(load.loop - (load.parse if capacity.parses_on_loop else 0.0), 1 / MOST_STEP)
    gain = min(_headroom(facts, "loop", "parse", "lock"), 1 / fetch)
    return Advice(f'one interpreter does all: change run.model from "{capacity.model}" to "hybrid"', gain)


def _more_processes(facts: Facts) -> Advice:
    """More of the processes that parse, where there are cores for them."""
    capacity, idle = facts.capacity, _spare(facts)
    now = capacity.processes
    if idle < SPARE_CORE:
        return Advice(_NO_GAIN["parse"].format(cores=capacity.cores), None)
    more = now + max(round(idle), 1)
    shared = ("parse", "loop") if capacity.model == "sharded" else ("parse",)
    gain = min(more / now, (now + idle) / now, _headroom(facts, *shared))
    return Advice(f"raise parse.processes from {now} to {more}", gain)


def _on_writer(facts: Facts) -> Advice:
    return Advice("the writer's thread is full: a plainer write.format, or fewer of them, costs less", None)


def _on_disk(facts: Facts) -> Advice:
    """Rows share a commit's fsyncs: more of them for each means a longer wait for it, and memory for as many."""
    load, every_s = facts.load, facts.capacity.commit_every_s
    left = max(1 - load.disk * (1 - 1 / MOST_STEP), 1 / MOST_STEP)
    gain = min(1 / left, _headroom(facts, "write"))
    if load.short > SHORT / 2:  # the mean of these times and of the end, when nobody reads any more
        memory = max(facts.capacity.memory // MIB, 1)
        text = f"raise run.memory from {_mib(facts.capacity.memory)} to {memory * MOST_STEP}MiB"
    elif 0 < every_s < OFTEN_S:
        text = f"raise write.commit_every from {_duration(every_s)} to {_duration(every_s * MOST_STEP)}"
    else:
        return Advice("only a faster one helps: rows share its fsyncs already", None)
    return Advice(f"{text}, so that more rows share its fsyncs", gain)


def _on_memory(facts: Facts) -> Advice:
    load, capacity = facts.load, facts.capacity
    # As much again is parsed or written meanwhile.
    wanted = capacity.concurrency * (load.body_bytes + PAGE_COST) * 2
    target = _next_power(max(capacity.memory // MIB, 1), max(wanted / max(capacity.memory, MIB), 2))
    gain = min(target * MIB / max(capacity.memory, MIB), _headroom(facts))
    return Advice(f"bodies wait for bytes: raise run.memory from {_mib(capacity.memory)} to {target}MiB", gain)


_HOST_ASKS: dict[WaitReason, str] = {
    "crawl_delay": "robots.txt asks for {gap} between two requests: nothing to set",
    "slowed": "it answers 429, 503 or not at all, so is asked for less: nothing to set",
    "held": "it asked to be left alone for a while: nothing to set",
    "backoff": "failed requests wait for their next try (fetch.backoff, fetch.retries)",
    "robots": "its robots.txt has not come yet: nothing to set; where it never comes, the failures say why",
    "lookup": "addresses are being looked up: nothing to set",
}
"""Waits that are the host's own wish or state."""


def _on_politeness(facts: Facts) -> Advice:
    waits = facts.waits
    if waits.why == "per_host":
        text = f"raise politeness.per_host from {waits.allowed} to {2 * waits.allowed}"
    elif waits.why == "delay":
        rate, half_s = 1 / max(waits.gap_s, 1e-3), waits.gap_s / 2
        text = f"{rate:.3g} requests/s: lower politeness.delay from {_duration(waits.gap_s)} to {_duration(half_s)}"
    else:
        asks = _HOST_ASKS[waits.why] if waits.why else "hosts wait for their turn: nothing to set"
        return Advice(_of(waits.host) + asks.format(gap=_duration(waits.gap_s)), None)
    return Advice(f"{_of(waits.host)}{text}, if its owner may be asked that", min(_headroom(facts), 2.0))


def _of(host: str) -> str:
    return f"{host}: " if host else ""


def _on_source(facts: Facts) -> Advice:
    return Advice("it comes more slowly than its pages are done: no setting makes it faster", None)


def _on_ending(facts: Facts) -> Advice:
    return Advice("the list is read and nothing waits: no setting makes them faster", None)


_MAKERS: dict[Name, Callable[[Facts], Advice]] = {
    "politeness": _on_politeness,
    "latency": _on_latency,
    "fetch": _on_fetch,
    "parse": _on_parse,
    "writer": _on_writer,
    "disk": _on_disk,
    "memory": _on_memory,
    "source": _on_source,
    "ending": _on_ending,
}


def _next_power(value: int, times: float) -> int:
    """The first doubling of a value that is `times` as much or more.

    >>> _next_power(2, 3.0), _next_power(64, 2.0), _next_power(5, 1.0)
    (8, 128, 5)
    """
    target = value
    while target < value * times:
        target *= 2
    return target


def _duration(seconds: float) -> str:
    """A duration as users write it.

    >>> _duration(0.1034), _duration(1.5), _duration(0.00042)
    ('103ms', '1.5s', '0.42ms')
    """
    if seconds >= 1:
        return f"{seconds:.3g}s"
    return f"{seconds * 1000:.0f}ms" if seconds >= 0.01 else f"{seconds * 1000:.2g}ms"


def _mib(size: int) -> str:
    return f"{size / MIB:.3g}MiB"
