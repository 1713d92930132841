"""Which page misbehaves, how, and how long it takes: pure choices by seed and path, and the one memory of tries."""

from itertools import accumulate

from scraper.site.options import FAULT_NAMES, FaultName, SiteOptions
from scraper.site.seeded import uniform

PASSING_FAULTS: frozenset[FaultName] = frozenset({"rate_limited", "flaky"})
"""Faults of one try: the next one gets the page."""


def fault_shares(options: SiteOptions) -> tuple[tuple[FaultName, float], ...]:
    """The asked-for faults laid side by side on 0..1: each with the upper end of its share, lowest first."""
    rates = [(name, getattr(options, name)) for name in FAULT_NAMES]
    uppers = accumulate(rate for _, rate in rates)
    return tuple((name, upper) for (name, rate), upper in zip(rates, uppers, strict=True) if rate)


def fault_of(shares: tuple[tuple[FaultName, float], ...], seed: int, path: str) -> FaultName | None:
    """The one fault of a detail page: the share that the path's even number falls into. None for a good page."""
    if not shares:
        return None
    place = uniform(seed, "fault", path)
    return next((name for name, upper in shares if place < upper), None)


def delay_of(options: SiteOptions, path: str, fault: FaultName | None) -> float:
    """Seconds to wait before the answer to a path."""
    if fault == "slow":
        return options.slow_s
    if not options.jitter_s:
        return options.latency_s
    shift = 2 * uniform(options.seed, "latency", path) - 1
    return max(0.0, options.latency_s + shift * options.jitter_s)


class Turns:
    """Remembers which passing faults were shown and not yet followed by the page.

    A page shows its fault at every other try, so that one site gives the same to each run over the whole list.
    At most one path per faulty page is held.
    """

    def __init__(self) -> None:
        """No fault shown yet."""
        self._shown: set[str] = set()

    def take_turn(self, path: str) -> bool:
        """True where this try must fail; the next call for the path gives False, the one after it True again."""
        if path in self._shown:
            self._shown.remove(path)
            return False
        self._shown.add(path)
        return True
