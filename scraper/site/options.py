"""What the practice site is asked to be: plain checked data, no page and no server lives here."""

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

FaultName = Literal["not_found", "rate_limited", "flaky", "slow", "cut", "redirect"]
"""How a detail page can misbehave; each is also the name of a rate in `SiteOptions`."""

FAULT_NAMES: tuple[FaultName, ...] = get_args(FaultName)

MOST_PAGES = 100_000_000
MOST_BYTES = 64 << 20
"""Each page is made in memory, as often as it is asked for."""

_ROUNDING = 1e-9  # ten times 0.1 is a little more than 1 in binary


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """The site's size, speed and manners. The same options give the same site, byte for byte.

    ValueError where a number is out of range or the rates add up to more than 1.
    """

    pages: int = 1000
    """Detail pages in all: products and articles in turn, so shop and news have half each."""
    seed: int = 1
    size_bytes: int | None = None
    """About how many bytes of HTML a detail page has; None is natural, 4-8 KiB.
    No page gets smaller than its own frame, about 4 KiB."""
    latency_s: float = 0.0
    """Seconds before an answer starts."""
    jitter_s: float = 0.0
    """Each path's latency is moved by up to this many seconds, up or down, never below 0."""
    not_found: float = 0.0
    """Share of detail pages, 0..1, that answer 404."""
    rate_limited: float = 0.0
    """Share that answers 429 with `Retry-After: 1`, and the page at the next try."""
    flaky: float = 0.0
    """Share that answers 500, and the page at the next try."""
    slow: float = 0.0
    """Share that answers after `slow_s` seconds."""
    cut: float = 0.0
    """Share whose connection is closed in the middle of the body, at every try."""
    redirect: float = 0.0
    """Share that answers 302 to the same page with `?moved=1`, which answers 200."""
    slow_s: float = 3.0
    """Seconds a slow page takes instead of its latency."""

    def __post_init__(self) -> None:
        """Refuse what no site can be."""
        if self.pages < 1:
            raise ValueError(f"pages is {self.pages}: a site needs at least 1 page")
        if self.pages > MOST_PAGES:
            raise ValueError(f"pages is {self.pages}: a site has at most {MOST_PAGES:,} pages")
        if self.size_bytes is not None and not 1 <= self.size_bytes <= MOST_BYTES:
            raise ValueError(
                f"size_bytes is {self.size_bytes}: 1 byte to {MOST_BYTES >> 20} MiB, or None for natural pages"
            )
        for field in fields(self):
            if field.name.endswith("_s"):
                _check_seconds(field.name, getattr(self, field.name))
        _check_rates({name: getattr(self, name) for name in FAULT_NAMES})


def _check_seconds(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{name} is {value}: seconds must be 0 or more")


def _check_rates(rates: dict[FaultName, float]) -> None:
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"{name} is {rate}: a rate is a number from 0 to 1")
    if sum(rates.values()) > 1 + _ROUNDING:
        named = " + ".join(f"{name} {rate:g}" for name, rate in rates.items() if rate)
        raise ValueError(f"{named} is more than 1: a page has one fault at most, so the rates share 1")
