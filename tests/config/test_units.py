"""Durations and sizes: what people write, what it means, and that it can be written back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10s", 10.0),
        ("50ms", 0.05),
        ("1m", 60.0),
        ("2h", 7200.0),
        ("1m30s", 90.0),
        ("1.5s", 1.5),
        (" 10 s ", 10.0),
        ("0s", 0.0),
        ("0", 0.0),
        ("10", 10.0),
        (3, 3.0),
        (0.25, 0.25),
        (1e-05, 0.00001),
    ],
)
def test_duration_is_read_as_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    [
        "10 parsecs",
        "",
        "s",
        "-1s",
        "1e3s",
        "10S",
        "1s2",
        "ten",
        "1.s",
        "٣s",
        True,
        None,
        -1,
        float("inf"),
        float("nan"),
        [],
    ],
)
def test_what_is_no_duration_is_refused_with_a_hint(written: object) -> None:
    with pytest.raises(ValueError, match=r'is not a duration: write a number with ms, s, m or h, e\.g\. "10s"'):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("4MiB", 4 * 1024**2),
        ("64KB", 64_000),
        ("64kb", 64_000),
        ("1.5 GiB", 1536 * 1024**2),
        ("1TiB", 1024**4),
        ("10B", 10),
        ("0.3KiB", 307),
        ("4096", 4096),
        (4096, 4096),
        (0, 0),
    ],
)
def test_size_is_read_as_bytes(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["4 MB/s", "4M", "iB", "", "-4MiB", "lots", "4.5", 4.0, True, None, -1, "²"])
def test_what_is_no_size_is_refused_with_a_hint(written: object) -> None:
    with pytest.raises(ValueError, match=r'is not a size: write a number with B, KiB, MiB or GiB, e\.g\. "4MiB"'):
        parse_size(written)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.005, "5ms"), (0.0015, "1.5ms"), (1, "1s"), (1.5, "1.5s"), (90, "90s"), (60, "1m"), (86400, "24h")],
)
def test_duration_is_written_with_the_fitting_unit(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 86_400_000))
def test_duration_in_whole_milliseconds_survives_writing_and_reading(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(0, 2**50))
def test_size_survives_writing_and_reading(size: int) -> None:
    assert parse_size(format_size(size)) == size
