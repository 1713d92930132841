"""Servers that fail again and again, and for how long they are set aside: a circuit breaker for each origin. Pure.

    closed ── MOST_IN_ROW final failures, nothing good between ──► set aside ── its time is over ──► on trial
      ▲                                                              ▲                                  │
      └───────────────────────── an answer ──────────────────────────┼──────────────────────────────────┤
                                                                     └──── any failure, twice as long ──┘

While an origin is set aside its URLs end at once, with the last fault: a run does not wait for a dead server. The URLs
that come after that are tried again, one at a time until one is answered. Each port of a host is a server of its own.
"""

from dataclasses import dataclass

from scraper.records import FailureKind, Fault

MOST_IN_ROW = 8
"""A browser opens 6 connections to a host; one more burst than that is no accident."""
FIRST_S = 60.0
MOST_S = 15 * 60.0
MOST_DOUBLINGS = 10
"""Beyond, powers of two have too many digits to be seconds."""
MOST_ORIGINS = 50_000
"""Those with failures in a row that are remembered, some 0.5 KB each; beyond, the first that failed is forgotten."""

HOST_KINDS: frozenset[FailureKind] = frozenset({"dns", "connect", "tls", "timeout"})
"""Faults of a server and not of a page. So are 429 and all 5xx."""

_SHOWN_CHARS = 300


def is_of_host(fault: Fault) -> bool:
    """Whether a fault would likely meet the server's other URLs as well.

    >>> is_of_host(Fault("connect", "")), is_of_host(Fault("http_status", "", 500)), is_of_host(Fault("too_large", ""))
    (True, True, False)
    """
    if fault.kind == "http_status":
        return fault.status is not None and (fault.status == 429 or 500 <= fault.status < 600)
    return fault.kind in HOST_KINDS


@dataclass(slots=True)
class Breaker:
    """The failures in a row of one origin. Times in seconds of any one clock."""

    origin: str
    failures: int = 0
    """Final failures in a row, and those of trials."""
    times: int = 0
    """How often it was set aside since its last answer."""
    until: float = float("-inf")
    """It is set aside until then."""
    last: Fault | None = None
    """What its URLs fail with while it is set aside."""

    def on_fault(self, fault: Fault, is_final: bool, now: float) -> Fault | None:
        """Count a fault of the server; gives that of all its URLs where it is set aside, by this one or before.

        `is_final`: the URL is not tried again. On trial any fault counts.
        """
        if now < self.until:
            return self.last  # sent before it was set aside: news of the same trouble
        if not is_final and not self.times:
            return None
        self.failures += 1
        if self.failures < MOST_IN_ROW and not self.times:
            return None
        self.until = now + min(FIRST_S * 2 ** min(self.times, MOST_DOUBLINGS), MOST_S)
        self.times += 1
        self.last = Fault(fault.kind, self._message(fault), fault.status)
        return self.last

    def refusal(self, now: float) -> Fault | None:
        """What a URL of the origin fails with now; None where it may be tried."""
        return self.last if now < self.until else None

    def _message(self, fault: Fault) -> str:
        last = fault.message if len(fault.message) <= _SHOWN_CHARS else fault.message[:_SHOWN_CHARS] + "..."
        return (
            f"{self.origin} was set aside after {self.failures} failures in a row (last: {last}): "
            "later the same command with --retry-failed tries its URLs again"
        )


class Breakers:
    """The breakers of all origins that failed since their last answer; `book` is empty where none did."""

    def __init__(self) -> None:
        """Every one is closed."""
        self.book: dict[str, Breaker] = {}

    def on_fault(self, origin: str, fault: Fault, is_final: bool, now: float) -> Fault | None:
        """See `Breaker.on_fault`. Faults that are not of the server change nothing."""
        breaker = self.book.get(origin)
        if not is_of_host(fault):
            return None if breaker is None else breaker.refusal(now)
        if breaker is None:
            if len(self.book) >= MOST_ORIGINS:
                del self.book[next(iter(self.book))]
            breaker = self.book[origin] = Breaker(origin)
        return breaker.on_fault(fault, is_final, now)

    def on_answer(self, origin: str) -> None:
        """It answered: all is forgotten."""
        self.book.pop(origin, None)

    def refusal(self, origin: str, now: float) -> Fault | None:
        """See `Breaker.refusal`."""
        breaker = self.book.get(origin)
        return None if breaker is None else breaker.refusal(now)

    def is_on_trial(self, origin: str, now: float) -> bool:
        """Whether it was set aside, its time is over, and it has not answered since."""
        breaker = self.book.get(origin)
        return breaker is not None and breaker.times > 0 and now >= breaker.until
