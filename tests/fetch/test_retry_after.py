"""Retry-After as servers send it; the odd values are from public issues, named where the file has them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.fetch.retry_after import parse_retry_after

NOW = 1_785_000_000.0  # 2026-07-25 17:20:00 UTC
CASES = Path(__file__).parents[2] / "../shared/cases/fetch/retry_after.jsonl"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0.129", 0.129),
        ("120, 60", 120.0),
        ("9999999999", 9_999_999_999.0),
        ("9" * 5000, 1e12),
        ("Sat, 25 Jul 2026 17:21:00 GMT", 60.0),
        ("Saturday, 25-Jul-26 17:21:00 GMT", 60.0),  # RFC 850
        ("Sat Jul 25 17:21:00 2026", 60.0),  # asctime
        ("Sat, 25 Jul 2026 17:21:00 -0000", 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Fri, 31 Dec 10000 23:59:59 GMT", None),
        ("1m0s", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("", None),
        ("soon", None),
        ("٣", None),  # a digit, but not one of HTTP's
        ("1,", None),
    ],
)
def test_reads_seconds_and_dates_and_nothing_else(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.skipif(not CASES.exists(), reason="the shared case files are not here")
def test_values_met_in_the_wild_give_a_wait_or_nothing() -> None:
    values = [json.loads(line)["value"] for line in CASES.read_text("utf-8").splitlines()]
    assert len(values) > 10
    for value in values:
        seconds = parse_retry_after(value, NOW)
        assert seconds is None or 0 <= seconds <= 1e12, value


VALUES = (
    st.text() | st.text("0123456789., :-+eE") | st.integers().map(str) | st.floats().map(str) | st.datetimes().map(str)
)


@given(VALUES)
def test_any_value_gives_a_wait_or_nothing(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= 1e12
