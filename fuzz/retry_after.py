"""Retry-After: any header is a finite number of seconds from 0, or nothing."""

import math

from fuzz.shaping import bounded, grown
from scraper.fetch.retry_after import parse_retry_after

NOW = 1_800_000_000.0

SEEDS = (
    b"\x00120",
    b"\x000.129",
    b"\x009999999999",
    b"\x001m0s",
    b"\0Thu, 01 Jan 1970 00:01:00 GMT",
    b"\0Fri, 31 Dec 9999 23:59:59 GMT",
    b"\0Fri, 31 Dec 10000 23:59:59 -9999",
    b"\0Thu, 01-Jan-70 00:00:00 -0000",
    b"\x001, 2",
    b"\xff9",
    b"\xff,",
    b"\0Mon Jan  1 00:00:00 0001",
)


def check(data: bytes) -> None:
    """`data`: see `grown`, then the header as a wire may give it: ISO 8859-1, or UTF-8."""
    value = grown(data)
    for text in (value.decode("latin-1"), value.decode("utf-8", "replace")):
        with bounded():
            seconds = parse_retry_after(text, NOW)
        assert seconds is None or (seconds >= 0 and math.isfinite(seconds)), seconds
