"""Which faults are tried again, and when: tenacity's strategies decide, the frontier does the waiting. Pure.

No strategy sleeps here and nothing is wrapped: a `RetryCallState` is filled in by hand and shown to them.
"""

from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential

from scraper.records import FailureKind, Fault, Job

RETRIED_KINDS: frozenset[FailureKind] = frozenset({"dns", "connect", "timeout", "protocol", "truncated"})
"""Faults that may pass by themselves; the others give the same answer each time."""

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 528), 529, 530})
"""RFC 9110, 8470 (425), 6585 (429); 52x and 530 are what CDNs say of the server behind them."""

HOST_STATUSES = frozenset({429, 503})
"""Answers that speak of the whole host: its other URLs wait as well."""

_IDLE = Retrying()
"""What a RetryCallState belongs to; never run."""


def may_pass(fault: Fault) -> bool:
    """Whether another try may end better."""
    return fault.kind in RETRIED_KINDS or (fault.kind == "http_status" and fault.status in RETRIED_STATUSES)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one fault."""

    fault: Fault
    """The fault, its message completed where a retry was refused."""
    wait_s: float | None
    """Seconds until the next try; None = give up."""
    hold_host_s: float = 0.0
    """Seconds in which nothing may be asked of the host."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The user's settings on retries; times in seconds."""

    retries: int
    """Tries after the first."""
    base_s: float = 0.5
    """The wait before the first retry; it doubles each time, less up to half of it by chance."""
    cap_s: float = 60.0
    """The longest wait of our own choice."""
    max_wait_s: float = 60.0
    """The longest wait that a server may ask for; the URL is given up where it asks for more."""
    respect_retry_after: bool = True
    rng: Random = field(default_factory=Random)

    def decide(self, job: Job, fault: Fault, streak: int = 0) -> Decision:
        """Whether and when a job that ended in this fault is tried again, never before the server's Retry-After.

        `streak`: how many round trips in a row met trouble at this host before. Its hold grows with them: of a hundred
        URLs that meet their first 429 one after the other, the last is the hundredth sign of the same thing.
        """
        state = _state_of(job, fault)
        asked_s = fault.retry_after_s if self.respect_retry_after else None
        wait_s = max(self._backoff(job.attempt), asked_s or 0.0)
        hold_s = self._hold(wait_s, job.attempt, streak + 1) if fault.status in HOST_STATUSES else 0.0
        if not retry_if_result(may_pass)(state) or stop_after_attempt(self.retries + 1)(state):
            return Decision(fault, None, hold_s)
        if asked_s is not None and asked_s > self.max_wait_s:
            return Decision(_asked_too_long(fault, asked_s, self.max_wait_s), None, hold_s)
        return Decision(fault, wait_s, hold_s)

    def _hold(self, wait_s: float, attempt: int, troubles: int) -> float:
        """As long as the URL waits, and longer where its host has been in trouble for longer."""
        return min(max(wait_s, self._backoff(troubles)) if troubles > attempt else wait_s, self.max_wait_s)

    def _backoff(self, number: int) -> float:
        """The wait after the first, second, ... fault in a row.

        Half fixed, half random: hosts that failed together are not asked together again, and no wait is next to none.
        """
        state = RetryCallState(_IDLE, None, (), {})
        state.attempt_number = number
        longest = wait_exponential(multiplier=self.base_s, max=self.cap_s)(state)
        return longest * (0.5 + self.rng.random() / 2)


def _state_of(job: Job, fault: Fault) -> RetryCallState:
    state = RetryCallState(_IDLE, None, (), {})
    state.attempt_number = job.attempt
    state.set_result(fault)
    return state


def _asked_too_long(fault: Fault, asked_s: float, max_wait_s: float) -> Fault:
    reason = f"asks for {asked_s:,.0f} s, politeness.max_wait allows {max_wait_s:g} s"
    return replace(fault, message=f"{fault.message} (not tried again: Retry-After {reason})")
