"""Durations and sizes as people write them ("10s", "4MiB"), read into numbers and written back. Pure."""

import re
from decimal import Decimal

_SECONDS_PER = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
_BYTES_PER = {
    "b": 1,
    "kb": 1000,
    "kib": 1024,
    "mb": 1000**2,
    "mib": 1024**2,
    "gb": 1000**3,
    "gib": 1024**3,
    "tb": 1000**4,
    "tib": 1024**4,
}
_NUMBER = r"\d{1,18}(?:\.\d{1,9})?"
_DURATION = re.compile(rf"(?:{_NUMBER} ?(?:ms|s|m|h))+", re.ASCII)
_DURATION_PART = re.compile(rf"({_NUMBER}) ?(ms|s|m|h)", re.ASCII)
_SIZE = re.compile(rf"({_NUMBER}) ?([kmgt]?i?b)", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_BARE = re.compile(_NUMBER, re.ASCII)


def parse_duration(value: object) -> float:
    """Return seconds from a number of seconds or a text such as "500ms", "10s", "1m30s", "2h".

    Raises ValueError, with a hint, for anything else: negative, infinite, an unknown unit.

    >>> parse_duration("1m30s"), parse_duration("50ms"), parse_duration(3)
    (90.0, 0.05, 3.0)
    """
    text = _as_text(value)
    if text is not None and _BARE.fullmatch(text):
        return float(text)
    if text is None or not _DURATION.fullmatch(text):
        raise ValueError(f'{value!r} is not a duration: write a number with ms, s, m or h, e.g. "10s"')
    parts = _DURATION_PART.findall(text)
    return float(sum(Decimal(number) * _SECONDS_PER[unit] for number, unit in parts))


def parse_size(value: object) -> int:
    """Return bytes from a number of bytes or a text such as "64KB" (1000s) or "4MiB" (1024s), in any case.

    A fraction is cut to whole bytes. Raises ValueError, with a hint, for anything else.

    >>> parse_size("4MiB"), parse_size("64kb"), parse_size(10)
    (4194304, 64000, 10)
    """
    text = None if isinstance(value, float) else _as_text(value)
    if text is not None and _WHOLE.fullmatch(text):
        return int(text)
    match = None if text is None else _SIZE.fullmatch(text)
    if match is None or match[2].lower() not in _BYTES_PER:
        raise ValueError(f'{value!r} is not a size: write a number with B, KiB, MiB or GiB, e.g. "4MiB"')
    return int(Decimal(match[1]) * _BYTES_PER[match[2].lower()])


def format_duration(seconds: float) -> str:
    """Return the shortest text that `parse_duration` reads back as the same number.

    >>> format_duration(0.5), format_duration(90), format_duration(3600)
    ('500ms', '90s', '1h')
    """
    exact = Decimal(repr(float(seconds)))
    if 0 < exact < 1:
        return f"{_plain(exact * 1000)}ms"
    for unit in ("h", "m"):
        if exact and exact % _SECONDS_PER[unit] == 0:
            return f"{_plain(exact / _SECONDS_PER[unit])}{unit}"
    return f"{_plain(exact)}s"


def format_size(size: int) -> str:
    """Return the shortest exact text that `parse_size` reads back as the same number.

    >>> format_size(16 * 1024 * 1024), format_size(64_000), format_size(1023)
    ('16MiB', '64KB', '1023B')
    """
    for unit in ("TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "KB"):
        if size and size % _BYTES_PER[unit.lower()] == 0:
            return f"{size // _BYTES_PER[unit.lower()]}{unit}"
    return f"{size}B"


def _as_text(value: object) -> str | None:
    """Return the text to read, None for what can be no quantity; a bool is no number here."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return format(Decimal(repr(value)), "f") if value >= 0 and value != float("inf") else None
    return value.strip() if isinstance(value, str) else None


def _plain(number: Decimal) -> str:
    """Without an exponent and without trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
