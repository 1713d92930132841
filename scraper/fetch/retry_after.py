"""The Retry-After header (RFC 9110 section 10.2.3), as servers really send it. Pure."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_MOST_DIGITS = 12
"""Python refuses to read numbers of more than 4,300 digits; 12 are 31,000 years."""


def parse_retry_after(value: str, now: float) -> float | None:
    """Seconds to wait from `now` (seconds since the epoch), 0 for a date gone by; None where nothing can be read.

    The caller caps it: a year in seconds, or an epoch time sent by mistake, is given as it is. Of several headers
    joined by commas the longest wait counts.

    >>> parse_retry_after("120", now=0)
    120.0
    >>> parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now=10)
    50.0
    >>> parse_retry_after("1m0s", now=0) is None
    True
    """
    parts = [part.strip() for part in value.split(",")]
    if all(_SECONDS.fullmatch(part) for part in parts):
        return max(_read_seconds(part) for part in parts)
    return _until_date(value, now)


def _read_seconds(digits: str) -> float:
    return float(digits) if len(digits) <= _MOST_DIGITS else 10.0**_MOST_DIGITS


def _until_date(value: str, now: float) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:  # "-0000", which RFC 5322 gives as UTC without a known zone
        date = date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - now)
