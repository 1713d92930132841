"""How fast one lane may be asked: the set limits, what robots.txt asks for, and what the answers say. Pure.

Additive increase, multiplicative decrease, as TCP does it with its congestion window (RFC 5681 section 3.1; Chiu and
Jain 1989, for why both together are fair and stable). What is a segment there is a request here:

    trouble    429, 503: half as many requests at once. At one already: a gap between two, doubling up to GAP_MOST_S
    silence    no connection, or no answer in time: the same, but the gap stays short. There is nobody to be spared, a
               dead host should be known as dead soon, and what times out takes its time anyway
    good       while latency is steady: a shorter gap, then one request more for each window of good answers

An answer to a request sent before the last cut says nothing new: a burst that fails as one cuts once (RFC 6582 section
3.2 has it as `recover`). A rise that fails at once makes the next one wait for twice as many good answers (the adaptive
ARF of Lacage, Manshaei and Turletti 2004): a host that takes one request at a time is not asked for two every minute.
"""

from dataclasses import dataclass
from math import ceil
from typing import Literal

from scraper.records import Fault
from scraper.stats import WaitReason

Sign = Literal["good", "trouble", "silence"]
"""What an answer says of its host's load."""

GAP_MOST_S = 10.0
"""The longest gap of our own choice; Retry-After and the backoff of a retry may hold a host for longer."""
SILENT_GAP_MOST_S = 1.0
"""The longest where nobody answers."""
FIRST_LATENCY_S = 1.0
"""The latency of a host that has not answered yet: RFC 6298 section 2.1 starts there as well."""
LEAST_LATENCY_S = 0.001
"""So that twice the latency is a gap even on this machine."""
STEADY = 2.0
"""A latency up to so many times the median is steady."""
SHORTER = 0.75
"""What is left of a gap after a rise."""
MOST_PATIENCE = 16
"""Windows of good answers before a rise, after rises that failed."""
DRIFT = 1 / 16
"""How far the median moves for one answer, as a part of itself."""

LOADED_STATUSES = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class HostLimits:
    """What one lane may be asked at most."""

    per_host: int
    """Requests in flight at the same time, at least 1."""
    delay_s: float
    """Seconds between the starts of two requests, 0 = no gap."""
    adaptive: bool = False
    """Whether answers may slow it down below these limits."""


def sign_of(fault: Fault) -> Sign | None:
    """What a fault says of the host's load; None where it says nothing.

    >>> sign_of(Fault("http_status", "", 503)), sign_of(Fault("http_status", "", 404)), sign_of(Fault("tls", ""))
    ('trouble', 'good', None)
    """
    if fault.kind == "http_status":
        return "trouble" if fault.status in LOADED_STATUSES else "good"
    return "silence" if fault.kind in ("timeout", "connect") else None


class Pace:
    """The pace of one lane. Read `allowed` and `gap_s`; both change with each call."""

    __slots__ = (
        "_asked_s",
        "_cut_at",
        "_good",
        "_is_calm",
        "_is_probing",
        "_limits",
        "_median_s",
        "_most",
        "_patience",
        "_set_gap_s",
        "allowed",
        "gap_s",
        "streak",
    )

    def __init__(self, limits: HostLimits) -> None:
        """At first as fast as the limits allow."""
        self._limits = limits
        self._asked_s = 0.0
        self._most = self.allowed = limits.per_host
        """Requests that may be in flight: 1 up to the limit."""
        self._set_gap_s = self.gap_s = limits.delay_s
        """Seconds between two starts, never less than the limit's."""
        self.streak = 0
        """Round trips in a row that met trouble or silence."""
        self._median_s = 0.0  # 0 = unknown
        self._cut_at = float("-inf")
        self._good = 0
        self._is_calm = True
        """At the limits, and no rise on probation: a good answer has nothing to change."""
        self._is_probing = False
        self._patience = 1

    @property
    def is_changed(self) -> bool:
        """Whether it differs from what a new one would be."""
        return self.is_slowed or self._asked_s > 0

    @property
    def is_slowed(self) -> bool:
        """Whether the answers keep it below the limits."""
        return self.allowed < self._most or self.gap_s > self._set_gap_s

    def why(self, is_full: bool) -> WaitReason:
        """What keeps jobs of the lane waiting: `is_full`, for a request to end; else for the gap to be over."""
        if self.is_slowed:
            return "slowed"
        if self._asked_s and (is_full or self._asked_s >= self._limits.delay_s):
            return "crawl_delay"
        return "per_host" if is_full else "delay"

    def on_answer(self, latency_s: float, sign: Sign, sent_at: float, now: float) -> None:
        """Take an answer into account. `latency_s`: from `sent_at` to the end of the answer."""
        if sign != "good":
            if sent_at >= self._cut_at:
                self.streak += 1
                self._cut_at = now
                self._is_calm = False
                if self._limits.adaptive:
                    self._cut(latency_s, sign)
            return
        median_s = self._median_s
        if not median_s:
            self._median_s = latency_s if latency_s > LEAST_LATENCY_S else LEAST_LATENCY_S
        elif latency_s > median_s:
            self._median_s = median_s * (1 + DRIFT)
        elif median_s > LEAST_LATENCY_S:
            self._median_s = median_s * (1 - DRIFT)
        if not self._is_calm and sent_at >= self._cut_at:
            self._recover(latency_s <= STEADY * self._median_s)

    def restart(self) -> None:
        """Ask one request at a time until answers are good again: the host is tried after a time set aside."""
        self.allowed = 1
        self._good = 0
        self._is_calm = False

    def ask_delay(self, seconds: float) -> None:
        """From now on one request at a time, and at least so many seconds between two: robots.txt asks for it."""
        if not seconds >= 0:
            raise ValueError(f"a delay of {seconds} s")
        self._asked_s = seconds
        self._most = 1 if seconds else self._limits.per_host
        self._set_gap_s = max(self._limits.delay_s, seconds)
        self.allowed = min(self.allowed, self._most)
        self.gap_s = max(self.gap_s, self._set_gap_s)
        self._is_calm = False

    def _cut(self, latency_s: float, sign: Sign) -> None:
        failed_probe = self._is_probing and self._good < self.allowed
        self._patience = min(2 * self._patience, MOST_PATIENCE) if failed_probe else 1
        self._good = 0
        self._is_probing = False
        in_use = self._in_use()
        self.allowed = max(1, in_use // 2)
        if in_use == 1:
            self._lengthen(latency_s, GAP_MOST_S if sign == "trouble" else SILENT_GAP_MOST_S)

    def _in_use(self) -> int:
        """Requests that can be in flight at all: a gap of half a latency lets two be (Little's law).

        As RFC 5681 halves what is in flight and not the window: half of what was never used would change nothing.
        """
        if not self.gap_s:
            return self.allowed
        return min(self.allowed, max(1, ceil((self._median_s or FIRST_LATENCY_S) / self.gap_s)))

    def _lengthen(self, latency_s: float, most_s: float) -> None:
        """Half as many requests a second as one at a time."""
        latency_s = self._median_s or min(max(latency_s, LEAST_LATENCY_S), FIRST_LATENCY_S)
        self.gap_s = max(self.gap_s, min(2 * max(self.gap_s, latency_s), most_s))

    def _recover(self, is_steady: bool) -> None:
        self.streak = 0
        if not self._limits.adaptive:
            self.allowed = self._most  # a trial that went well
        self._good += is_steady
        if self._good < self.allowed * self._patience:
            return
        if self.is_slowed:
            self._rise()
        else:
            self._is_calm, self._is_probing = True, False

    def _rise(self) -> None:
        self._good = 0
        self._is_probing = True
        if self.gap_s <= self._set_gap_s:
            self.allowed += 1
            return
        shorter_s = self.gap_s * SHORTER
        is_felt = shorter_s > max(self._set_gap_s, self._median_s)
        self.gap_s = shorter_s if is_felt else self._set_gap_s
