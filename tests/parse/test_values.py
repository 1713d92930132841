"""From text to typed values."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from scraper.parse.values import to_bool, to_date, to_datetime, to_decimal, to_float, to_int, to_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1299", "1299"),
        ("1,299.00", "1299.00"),
        ("$1,299.00 each", "1299.00"),
        ("€ 1.299,00", "1299.00"),
        ("1.299,00 €", "1299.00"),
        ("12 345", "12345"),
        ("12\u00a0345,67".replace("\u00a0", " "), "12345.67"),
        ("1'299.50 CHF", "1299.50"),
        ("1\u2019299.50 CHF", "1299.50"),
        ("1,299", "1299"),
        ("1.299", "1.299"),
        ("1.299,-", "1299"),
        ("1.299,\u2013 EUR", "1299"),
        ("5,-", "5"),
        ("1,5", "1.5"),
        ("1,50", "1.50"),
        ("0,500", "0.500"),
        ("1234,567", "1234.567"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1,00,000.50", "100000.50"),
        ("1,234,56", None),
        ("192.168.1.1", None),
        ("costs 5.", "5"),
        ("from 10-20", "10"),
        ("-5", "-5"),
        ("\u2212 5", "-5"),
        ("+5", "5"),
        ("SKU-5", "5"),
        ("45%", "45"),
        ("1.5e3", "1.5E+3"),
        ("3em", "3"),
        ("free", None),
        ("", None),
        ("٣", "3"),
        ("9" * 101, None),
    ],
)
def test_decimals(text: str, expected: str | None) -> None:
    number = to_decimal(text)
    assert (None if number is None else str(number)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.299", 1299), ("1,299", 1299), ("3.0", 3), ("3.5", None), ("0.125", None), ("12 reviews", 12), ("none", None)],
)
def test_ints_are_never_cut_or_rounded(text: str, expected: int | None) -> None:
    assert to_int(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("1,5", 1.5), ("1e999", None), ("nan", None), ("inf", None)])
def test_floats_are_finite(text: str, expected: float | None) -> None:
    assert to_float(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("Yes", True), ("1", True), ("OFF", False), ("no", False), ("maybe", None), ("", None)],
)
def test_bools(text: str, expected: bool | None) -> None:
    assert to_bool(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", date(2024, 1, 31)),
        ("2024-01-31T23:30:00-08:00", date(2024, 1, 31)),
        ("20240131", date(2024, 1, 31)),
        ("Published: 2024-01-31, edited later", date(2024, 1, 31)),
        ("31 January 2024", date(2024, 1, 31)),
        ("Jan 31, 2024", date(2024, 1, 31)),
        ("Sept. 3rd, 2024", date(2024, 9, 3)),
        ("the 3rd of March 2024", date(2024, 3, 3)),
        ("03-Mar-2024", date(2024, 3, 3)),
        ("2024/1/31", date(2024, 1, 31)),
        ("31.1.2024", date(2024, 1, 31)),
        ("01/02/2024", None),
        ("31 Foo 2024", None),
        ("2024-02-30", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: date | None) -> None:
    assert to_date(text) == expected


def zone(hours: float) -> timezone:
    return timezone(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31T12:30:00Z", datetime(2024, 1, 31, 12, 30, tzinfo=zone(0))),
        ("2024-01-31T12:30:00.123+05:30", datetime(2024, 1, 31, 12, 30, 0, 123000, tzinfo=zone(5.5))),
        ("2024-01-31t12:30:00.1234567z", datetime(2024, 1, 31, 12, 30, 0, 123456, tzinfo=zone(0))),
        ("at 2024-01-31 12:30 +0100 sharp", datetime(2024, 1, 31, 12, 30, tzinfo=zone(1))),
        ("2024-01-31 12:30", datetime(2024, 1, 31, 12, 30)),
        ("20240131T123000Z", datetime(2024, 1, 31, 12, 30, tzinfo=zone(0))),
        ("Wed, 31 Jan 2024 12:30:00 +0530", datetime(2024, 1, 31, 12, 30, tzinfo=zone(5.5))),
        ("31 Jan 2024 12:30 EST", datetime(2024, 1, 31, 12, 30, tzinfo=zone(-5))),
        ("31 Jan 2024 12:30:00", datetime(2024, 1, 31, 12, 30)),
        ("31 January 2024", datetime(2024, 1, 31)),
        ("2024-01-31T25:00:00Z", None),
        ("31 Jan 2024 25:00:00 GMT", None),
        ("noon", None),
    ],
)
def test_datetimes_keep_their_zone_and_never_gain_one(text: str, expected: datetime | None) -> None:
    found = to_datetime(text)
    assert found == expected
    assert expected is None or (found is not None and found.tzinfo == expected.tzinfo)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (' {"a": [1, 2.5, null]} ', {"a": [1, 2.5, None]}),
        ("3", 3),
        ("null", None),
        ("{a: 1}", None),
        ("NaN", None),
        ('"\\ud800"', None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_json(text: str, expected: Any) -> None:
    assert to_json(text) == expected


def test_a_decimal_is_exact() -> None:
    assert to_decimal("0.1") == Decimal("0.1")


def test_time_that_cannot_be_read_does_not_become_midnight() -> None:
    assert to_datetime("30 June 2026, 18:00") is None
    assert str(to_datetime("30 June 2026")) == "2026-06-30 00:00:00"
