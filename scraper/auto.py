"""What "auto" comes to while a run goes on: how many requests at once, and how many parse workers. Pure.

Requests. Twice as many are tried as long as that gives more pages a second, and nothing but the servers' latency keeps
the run from being faster. One number is judged by a round of answers:

    pass       as many answers as there are requests at once, sent since the change: new connections, and the queue that
               forms at a server which is full, would be taken for the state that follows
    count      the answers behind those. Pages a second = requests in flight / mean latency (Little 1961), which counts
               right where answers come in waves, as those to requests sent together do
    judge      as soon as two standard errors allow it, or after LONG_S

A doubling that gains too little is taken back and tried again later, each time after twice the pause. With GAIN 5 % a
server that answers C a second keeps less than twice the requests it needs, and loses at most 5 % of C; 10 % would lose
9 %.

Workers. Another one takes a while to start, so it pays once the pages that wait would take longer than that.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

START = 16
"""Requests at once to begin with: a burst that any site bears, and four doublings from 256."""
MOST = 1024
"""Requests at once at most: beyond, one loop has no time for their answers."""
GAIN = 1.05
FULL = 0.9
"""Of the loop's time, or of the requests in flight."""
BEHIND_S = 0.25
"""Pages that wait so long for a parse worker show that the workers are full."""
PILE_UP = 0.2
"""So does a pile of them that grows by this part of the answers, long before it is as high as that."""
SURE, VERY_SURE = 0.03, 0.01
"""The standard error, as a part of the mean, of a round that a doubling is compared with: at first, and where that was
too much to judge it by."""
LEAST_S, LONG_S, LONG_LATENCIES = 0.1, 1.5, 6
"""A round: at least, and at most so long or so many times the mean latency, whichever is longer."""
LEAST_ANSWERS = 16
PAUSE_S, MOST_PAUSE_S = 1.0, 300.0
"""Before a doubling that gained nothing is tried again."""
CHANGED = 2.0
"""So many times the pages a second, or so many times less, and the pages or their servers are others than before."""


UNUSED = "not all of them were in use: politeness or the list allowed no more"


class Look(NamedTuple):
    """The state of an engine at one moment."""

    at: float
    """By the clock that the answers are timed with."""
    in_flight: int
    loop_s: float
    """Sum of the seconds in which the loop ran, or could have and had no core."""
    parsing: int
    """Pages that are whole and not yet rows."""
    parsed: int
    """Sum of those that are."""
    bodies_waiting: bool
    """Readers wait for run.memory."""


class Judged(NamedTuple):
    """What a round came to."""

    rate: float
    """Good answers a second."""
    doubt: float
    """Its standard error, as a part of it."""
    busy: str
    """What else than latency limits the run, "" for nothing."""


class _Round:
    """What is seen of one number of requests at once."""

    def __init__(self, requests: int, since: float) -> None:
        """Begin with the answers that are let pass."""
        self.requests = requests
        self._since = since
        self._to_pass = requests
        self._answers = self._good = 0
        self._sum_s = self._squares = 0.0
        self._first: Look | None = None
        self._last: Look | None = None
        self._looks = self._in_flight = self._short = 0

    def ended(self, sent_at: float, took_s: float, is_good: bool) -> None:
        """An answer has come."""
        if sent_at < self._since:
            return
        if self._to_pass:
            self._to_pass -= 1
            return
        self._answers += 1
        self._good += is_good
        self._sum_s += took_s
        self._squares += took_s * took_s

    def look(self, look: Look) -> None:
        """Take a moment of the counting into account."""
        if self._to_pass:
            return
        self._first = self._first or look
        self._last = look
        self._looks += 1
        self._in_flight += look.in_flight
        self._short += look.bodies_waiting

    @property
    def seconds(self) -> float:
        """Since the counting began."""
        return self._last.at - self._first.at if self._first and self._last else 0.0

    @property
    def is_enough(self) -> bool:
        """Whether there is a mean to speak of."""
        return self._answers >= max(self.requests, LEAST_ANSWERS) and self.seconds >= LEAST_S

    @property
    def is_long(self) -> bool:
        """Whether it must come to an end."""
        return self.seconds >= max(LONG_S, LONG_LATENCIES * self._sum_s / self._answers)

    def judge(self) -> Judged:
        """What it comes to, once it is enough."""
        mean_s = max(self._sum_s / self._answers, 1e-9)
        variance = max(self._squares / self._answers - mean_s * mean_s, 0.0)
        rate = self._in_flight / self._looks * self._good / self._answers / mean_s
        return Judged(rate, sqrt(variance / self._answers) / mean_s, self._busy())

    def _busy(self) -> str:
        first, last = self._first, self._last
        if first is None or last is None:
            return ""
        if self._short > self._looks / 2:
            return "run.memory is full"
        if last.loop_s - first.loop_s > FULL * self.seconds:
            return "the loop has no time for more"
        parsed = (last.parsed - first.parsed) / self.seconds
        if last.parsing - first.parsing > max(PILE_UP * self._answers, LEAST_ANSWERS):
            return "the parse workers are full"
        if last.parsing > max(BEHIND_S * parsed, LEAST_ANSWERS):
            return "the parse workers are full"
        if self._in_flight < FULL * self.requests * self._looks:
            return UNUSED
        return ""


class Climb:
    """How many requests may be in flight: `now`, which changes with `look`."""

    def __init__(self, most: int = MOST) -> None:
        """`most`: as many as the system bears."""
        self.now = min(START, most)
        self._most = most
        self._round: _Round | None = None
        self._base: Judged | None = None
        """Of half as many, while a doubling is on trial."""
        self._best = 0.0
        """Pages a second of the number that stands, when it was found."""
        self._rates: dict[int, float] = {}
        self._busy = ""
        self._sure = SURE
        self._pause_s = PAUSE_S
        self._try_at = -inf

    @property
    def stands(self) -> int:
        """The number that was found good; half of `now` while twice as many are on trial."""
        return self.now if self._base is None else self.now // 2

    def ended(self, sent_at: float, took_s: float, is_good: bool) -> None:
        """An answer has come. `is_good`: it does not say that the server has too much to do."""
        if self._round is not None:
            self._round.ended(sent_at, took_s, is_good)

    def look(self, look: Look) -> int:
        """How many may be in flight from now on. To be asked every 20 to 100 ms."""
        if self._round is None:
            self._round = _Round(self.now, look.at)
        self._round.look(look)
        if self._round.is_enough:
            judged = self._round.judge()
            if self._base is None:
                self._on_standing(judged, look.at)
            else:
                self._on_trial(judged, self._base, look.at)
        return self.now

    def why(self) -> str:
        """The number and what it was found by, on one line.

        >>> Climb().why()
        '16 (the run was too short to try more)'
        """
        rates = sorted(self._rates.items())
        if not rates:
            return f"{self.stands} (the run was too short to try more)"
        (first, rate), *others = rates
        gave = ", ".join([f"{first} gave {rate:,.0f} pages/s", *(f"{number} {rate:,.0f}" for number, rate in others)])
        return f"{self.stands} ({gave}{'; ' + self._busy if self._busy else ''})"

    def _on_standing(self, judged: Judged, at: float) -> None:
        """A round of the number that stands: is it what it was, and may twice as many be tried?"""
        if judged.doubt > self._sure and not self._is_long():
            return
        if judged.busy == UNUSED and self.now in self._rates:  # at the end of every list: it says nothing new
            self._round = _Round(self.now, at)
            return
        self._busy = judged.busy
        if not judged.busy and self._best and judged.rate * CHANGED < self._best:
            self._begin_anew(at)
            return
        if judged.rate > CHANGED * self._best:
            self._best, self._pause_s, self._try_at = judged.rate, PAUSE_S, at
        self._rates[self.now] = judged.rate
        if judged.busy or 2 * self.now > self._most or at < self._try_at:
            self._round = _Round(self.now, at)
            return
        self._base = judged
        self._set(2 * self.now, at)

    def _on_trial(self, judged: Judged, base: Judged, at: float) -> None:
        """A round of twice as many: did they gain enough?"""
        gain = judged.rate / max(base.rate, 1e-9)
        doubt = 2 * gain * sqrt(judged.doubt**2 + base.doubt**2)
        is_close = gain - doubt <= GAIN <= gain + doubt
        if is_close and not self._is_long():
            return
        self._base = None
        if is_close and base.doubt > VERY_SURE and self._sure == SURE:
            self._sure = VERY_SURE
            self._set(self.now // 2, at)
            return
        self._sure = SURE
        self._rates[self.now] = judged.rate
        if gain > GAIN and judged.busy != "run.memory is full":
            self._best, self._pause_s = judged.rate, PAUSE_S
            self._on_standing(judged, at)  # its round serves for the next doubling too
            return
        self._best = base.rate
        self._try_at = at + self._pause_s
        self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)
        self._set(self.now // 2, at)

    def _begin_anew(self, at: float) -> None:
        """Other pages: from a quarter, so that fewer can be found as well as more."""
        self._rates.clear()
        self._best, self._pause_s, self._try_at = 0.0, PAUSE_S, -inf
        self._set(max(self.now // 4, min(START, self._most)), at)

    def _set(self, requests: int, at: float) -> None:
        self.now = requests
        self._round = _Round(requests, at)

    def _is_long(self) -> bool:
        return self._round is not None and self._round.is_long


START_WORKERS = 2
"""Parse workers to begin with, where there are cores for them."""
WORKER_START_S = 0.3
"""What a worker takes to start on a busy machine: half of that on an idle one."""
SPARE = 0.5
"""Of a core that is idle, for a worker to be worth it."""
LOOKS = 2
"""In a row that must show waiting pages: those that came while the first workers started are soon gone."""


@dataclass(frozen=True, slots=True)
class PoolLook:
    """The state of a pool at one moment."""

    at: float
    workers: int
    are_full: bool
    """Every worker runs, and has as many pages in hand as it is given."""
    waiting_s: float
    """Work in the pages that wait for a worker, `inf` where none is done yet that would tell."""
    idle_s: float | None
    """Sum of the idle seconds of the cores; None where that is not known."""


class Growth:
    """When a pool is given more workers."""

    def __init__(self, most: int) -> None:
        """`most`: workers, the cores that there are."""
        self.most = most
        self._before: PoolLook | None = None
        self._looks = 0

    def look(self, look: PoolLook) -> int:
        """How many workers to start now."""
        before, self._before = self._before, look
        is_due = look.are_full and look.waiting_s > WORKER_START_S * look.workers
        self._looks = self._looks + 1 if is_due else 0
        if self._looks < LOOKS or before is None:
            return 0
        more = min(look.workers, self.most - look.workers, idle_workers(before, look))
        self._looks = 0 if more else self._looks
        return max(more, 0)


def idle_workers(before: PoolLook, now: PoolLook) -> int:
    """For how many workers there were cores between two looks; where that is not known, for any number.

    >>> one, other = PoolLook(0.0, 2, True, 1.0, 10.0), PoolLook(0.5, 2, True, 1.0, 10.8)
    >>> idle_workers(one, other)
    2
    """
    if before.idle_s is None or now.idle_s is None or now.at <= before.at:
        return now.workers
    return int((now.idle_s - before.idle_s) / (now.at - before.at) + SPARE)
