"""Figures in words, as tables and axes show them. Pure."""

from math import floor, log10

_SIZES = ("B", "kB", "MB", "GB", "TB")


def duration(seconds: float) -> str:
    """A duration to three digits, in the unit that suits it.

    >>> duration(0), duration(0.000042), duration(0.0123), duration(1.5), duration(75), duration(7200), duration(7512)
    ('0 s', '42 µs', '12.3 ms', '1.5 s', '75 s', '2 h', '2 h 5 min')
    """
    if seconds >= 600:
        hours, minutes = divmod(round(seconds / 60), 60)
        return " ".join([*([f"{hours:,} h"] if hours else []), *([f"{minutes} min"] if minutes else [])])
    if seconds >= 0.9995 or not seconds:
        return f"{short(seconds)} s"
    if seconds >= 0.0009995:
        return f"{short(seconds * 1e3)} ms"
    return f"{short(seconds * 1e6)} µs"


def size(count: float) -> str:
    """Bytes in the unit that suits them; a kB is 1,000.

    >>> size(0), size(999), size(30_000), size(2_340_000), size(5e15)
    ('0 B', '999 B', '30 kB', '2.34 MB', '5,000 TB')
    """
    for unit in _SIZES:
        if count < 999.5 or unit == _SIZES[-1]:
            return f"{short(count)} {unit}"
        count /= 1000
    raise AssertionError("the last unit takes all")


def share(part: float) -> str:
    """A share as a percentage, to a tenth. What is not quite all or nothing does not look like it.

    >>> share(0), share(0.0004), share(0.00249), share(0.833), share(0.9999), share(1)
    ('0 %', '< 0.1 %', '0.2 %', '83.3 %', '> 99.9 %', '100 %')
    """
    if 0 < part < 0.001:
        return "< 0.1 %"
    if 0.999 < part < 1:
        return "> 99.9 %"
    return f"{part * 100:.1f}".removesuffix(".0") + " %"


def short(value: float) -> str:
    """A number to three digits, without zeros at its end; whole ones above a thousand.

    >>> short(1234.5), short(12.34), short(0.0500), short(-3), short(99.96)
    ('1,234', '12.3', '0.05', '-3', '100')
    """
    if not value:
        return "0"
    digits = max(0, 2 - floor(log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
