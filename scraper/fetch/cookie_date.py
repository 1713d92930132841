"""The date of a cookie's Expires, read as browsers read it (RFC 6265bis section 5.1.1). Pure."""

import re
from calendar import timegm

_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})(?!\d)", re.ASCII)
_YEAR = re.compile(r"(\d{2,4})(?!\d)", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS_OF = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parse_cookie_date(text: str) -> float | None:
    """Seconds since the epoch; None where the text holds no date.

    >>> parse_cookie_date("Wed, 21 Oct 2015 07:28:00 GMT"), parse_cookie_date("Wednesday, 21-Oct-15 07:28:00 GMT")
    (1445412480.0, 1445412480.0)
    """
    clock: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _DELIMITERS.split(text):  # each token is the first thing it can be that was not found before
        if clock is None and (match := _TIME.match(token)):
            clock = (int(match[1]), int(match[2]), int(match[3]))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.match(token)):
            year = _full_year(int(match[1]))
    if clock is None or day is None or month is None or year is None:
        return None
    return _seconds(year, month, day, clock)


def _full_year(year: int) -> int:
    return year + 1900 if 70 <= year <= 99 else year + 2000 if year <= 69 else year


def _seconds(year: int, month: int, day: int, clock: tuple[int, int, int]) -> float | None:
    hour, minute, second = clock
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 28 if month == 2 and not is_leap else _DAYS_OF[month - 1]
    if year < 1601 or not 1 <= day <= days or hour > 23 or minute > 59 or second > 59:
        return None
    return float(timegm((year, month, day, hour, minute, second)))
