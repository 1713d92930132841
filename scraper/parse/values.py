"""From the text of a match to a typed value. Pure; None always means that the text cannot be read as that type.

Numbers: the first number in the text counts, whatever stands around it ("€ 1.299,00 incl. VAT").
  - Spaces and apostrophes part groups of three digits.
  - Where both "." and "," occur, the last is the decimal mark and the other parts groups.
  - One kind that occurs more than once parts groups.
  - A single "," parts groups where exactly three digits follow and one to three, the first not 0, stand before it;
    else it is the decimal mark.
  - A single "." is the decimal mark, but parts groups in "1.299,-" and, with three digits after it, in an int.
Dates: ISO 8601 anywhere in the text, else day, English month name and year in either order, 2024/01/31 or 31.01.2024.
"01/02/2024" means two different days on two sides of an ocean and is not read. Datetimes: ISO 8601 or RFC 2822; a time
zone is kept where there is one and never made up.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.,])[-+\u2212]\s?)?"
    r"(?P<digits>\d{1,3}(?:[ '\u2019]\d{3})+(?:[.,]\d+)?(?!\d)|\d[\d.,]*\d|\d)"
    r"(?P<dash>,[-\u2013\u2014])?"
    r"(?P<exponent>[eE][+-]?\d{1,3}(?!\w))?"
)
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}")
MAX_DIGITS = 100
"""Longer runs of digits are no quantity, and past some thousands Python refuses to print them."""
_TRUE = frozenset(["true", "yes", "on", "1", "y", "t"])
_FALSE = frozenset(["false", "no", "off", "0", "n", "f"])

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        1,
    )
    for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?:of\s+)?{_MONTH},?[\s-]+(?P<year>\d{{4}})(?!\d)",
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)",
        r"(?<!\d)(?P<year>\d{4})/(?P<month>\d\d?)/(?P<day>\d\d?)(?!\d)",
        r"(?<!\d)(?P<day>\d\d?)\.(?P<month>\d\d?)\.(?P<year>\d{4})(?!\d)",
    )
)
_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]+\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?\d*\s?(?:[Zz]\b|[+-]\d\d:?(?:\d\d)?)?")
_CLOCK = re.compile(r"\b\d{1,2}:\d\d")
_RFC2822 = re.compile(
    rf"(?P<day>\d\d?)\s+{_MONTH}\s+(?P<year>\d{{4}})\s+(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"(?:\s*(?P<zone>[+-]\d{4}|[A-Z]{1,4}\b))?",
    re.IGNORECASE,
)
_ZONES = {"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6}
_ZONES |= {"PST": -8, "PDT": -7}
"""RFC 2822 section 4.3, hours east of UTC; other names mean different zones to different people."""


def to_decimal(text: str) -> Decimal | None:
    """The first number in the text, exactly.

    >>> [str(to_decimal(text)) for text in ("$1,299.00", "1.299,00 €", "12 345", "1,5", "free")]
    ['1299.00', '1299.00', '12345', '1.5', 'None']
    """
    return _number(text, point_may_group=False)


def to_float(text: str) -> float | None:
    """The first number in the text; None also for one too large for a float, which no row could hold."""
    number = to_decimal(text)
    if number is None:
        return None
    value = float(number)
    return value if math.isfinite(value) else None


def to_int(text: str) -> int | None:
    """The first number in the text where it is whole; never cut or rounded.

    >>> to_int("1.299 left"), to_int("3.0"), to_int("3.5")
    (1299, 3, None)
    """
    number = _number(text, point_may_group=True)
    return int(number) if number is not None and number == number.to_integral_value() else None


def to_bool(text: str) -> bool | None:
    """True or False for the usual words (true/false, yes/no, on/off, 1/0) in any case."""
    word = text.lower()
    return True if word in _TRUE else False if word in _FALSE else None


def to_date(text: str) -> date | None:
    """The first date in the text, in the most certain of the forms above.

    >>> str(to_date("Posted on March 3rd, 2024")), to_date("01/02/2024")
    ('2024-03-03', None)
    """
    for pattern in _DATES:
        if found := pattern.search(text):
            return _date(found)
    return _iso(date.fromisoformat, text.strip())


def to_datetime(text: str) -> datetime | None:
    """The first date with time in the text; of a date alone, its midnight.

    >>> str(to_datetime("Wed, 02 Oct 2002 13:00:00 GMT")), str(to_datetime("2024-01-31"))
    ('2002-10-02 13:00:00+00:00', '2024-01-31 00:00:00')
    """
    if found := _ISO_TIME.search(text):
        return _iso(datetime.fromisoformat, found[0].strip().upper().replace(" +", "+").replace(" Z", "Z"))
    if found := _RFC2822.search(text):
        return _rfc2822(found)
    whole = _iso(datetime.fromisoformat, text.strip())
    if whole is not None:
        return whole
    day = to_date(text)
    if day is None or _CLOCK.search(text):  # a time that cannot be read must not become midnight
        return None
    return datetime(day.year, day.month, day.day)


def to_json(text: str) -> Any:
    """The JSON value that the whole text is (RFC 8259); None for null and for what is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None


def _number(text: str, *, point_may_group: bool) -> Decimal | None:
    found = _NUMBER.search(text)
    if found is None:
        return None
    digits = _plain_digits(found["digits"], point_may_group or found["dash"] is not None)
    if digits is None or len(digits) > MAX_DIGITS:
        return None
    sign = "-" if (found["sign"] or "+")[0] in "-\u2212" else ""
    return Decimal(f"{sign}{digits}{found['exponent'] or ''}")


def _plain_digits(digits: str, point_may_group: bool) -> str | None:
    """Digits with "." as the only mark; None for what is no number, such as 192.168.1.1."""
    digits = re.sub("[ '\u2019]", "", digits)
    marks = [char for char in digits if char in ".,"]
    if not marks:
        return digits
    if len(set(marks)) == 2:
        return _with_decimals(digits, marks[-1])
    if len(marks) > 1 or _is_group_mark(digits, marks[0], point_may_group):
        return re.sub("[.,]", "", digits) if _GROUPED.fullmatch(digits) else None
    return digits.replace(",", ".")


def _with_decimals(digits: str, mark: str) -> str | None:
    whole, _, decimals = digits.rpartition(mark)
    if mark in whole or not _GROUPED.fullmatch(whole):
        return None
    return f"{re.sub('[.,]', '', whole)}.{decimals}"


def _is_group_mark(digits: str, mark: str, point_may_group: bool) -> bool:
    whole, _, rest = digits.partition(mark)
    return len(rest) == 3 and len(whole) <= 3 and whole[0] != "0" and (mark == "," or point_may_group)


def _date(found: re.Match[str]) -> date | None:
    try:
        return date(int(found["year"]), _month(found["month"]), int(found["day"]))
    except ValueError:
        return None


def _month(text: str) -> int:
    return int(text) if text.isdecimal() else _MONTHS[text.lower()]


def _iso(read: Callable[[str], T], text: str) -> T | None:
    try:
        return read(text)
    except ValueError:
        return None


def _rfc2822(found: re.Match[str]) -> datetime | None:
    day = _date(found)
    if day is None:
        return None
    try:
        clock = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
        return datetime(day.year, day.month, day.day, *clock, tzinfo=_zone(found["zone"]))
    except ValueError:
        return None


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text[0] not in "+-":
        hours = _ZONES.get(text.upper())
        return None if hours is None else timezone(timedelta(hours=hours))
    minutes = int(text[1:3]) * 60 + int(text[3:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
