"""How values become places on an axis, and where its marks stand. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10

EVERY = (1, 2, 2.5, 5, 10)
"""Distances between marks that people count in, times a power of ten."""

MINUTES = (20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
"""The same in seconds, for what takes longer than some."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear or logarithmic axis: from `low` at the place `start` to `high` at `end`."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False
    is_time: bool = False
    """The values are seconds: from a minute on, the marks stand at round minutes and hours."""

    def at(self, value: float) -> float:
        """The place of a value; what lies beyond an end stands at the end."""
        measure = log10 if self.is_log else float
        low, high = measure(self.low), measure(self.high)
        share = (measure(max(value, self.low)) - low) / (high - low) if high > low else 0.0
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)

    def marks(self, most: int) -> list[float]:
        """Round values between the ends, `most` of them at most."""
        if self.is_log:
            return _log_marks(self.low, self.high, most)
        return marks(self.low, self.high, most, is_time=self.is_time)


def marks(low: float, high: float, most: int, *, is_time: bool = False) -> list[float]:
    """Round values from `low` to `high`, rising.

    >>> marks(0, 97, 5), marks(0, 1, 5), marks(3, 3, 5), marks(0, 2000, 5, is_time=True)
    ([0.0, 25.0, 50.0, 75.0], [0.0, 0.25, 0.5, 0.75, 1.0], [3.0], [0.0, 600.0, 1200.0, 1800.0])
    """
    if high <= low:
        return [float(low)]
    step = _time_step(high - low, most) if is_time else _step(high - low, most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def round_top(values: float, most: int = 5) -> float:
    """The least round value that is not below; 1 for nothing: an axis has to end somewhere.

    >>> round_top(97), round_top(0.83), round_top(0)
    (100.0, 1.0, 1.0)
    """
    if not isfinite(values) or values <= 0:
        return 1.0
    step = _step(values, most)
    return float(f"{ceil(values / step - 1e-9) * step:.12g}")


def _step(span: float, most: int) -> float:
    rough = span / max(most - 1, 1)
    power = 10.0 ** floor(log10(rough))
    return next(step for every in EVERY if (step := every * power) >= rough * (1 - 1e-9))


def _time_step(span: float, most: int) -> float:
    rough = span / max(most - 1, 1)
    decimal = _step(span, most)
    return decimal if rough <= EVERY[-1] else next((step for step in MINUTES if step >= rough), decimal)


def _log_marks(low: float, high: float, most: int) -> list[float]:
    """Powers of ten, with 2 and 5 between them where there is room; every other power where there is none."""
    first, last = floor(log10(low)), ceil(log10(high))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{step}e{power}") for power in range(first, last + 1) for step in steps]
        inside = [mark for mark in found if low * (1 - 1e-9) <= mark <= high * (1 + 1e-9)]
        if len(inside) <= most:
            return inside
    return inside[:: ceil(len(inside) / most)]


def farthest(values: list[float | None]) -> float:
    """The largest of the values that are there; 0 where none is."""
    return max((value for value in values if value is not None and value < inf), default=0.0)


Words = Callable[[float], str]
"""How a value is written beside its mark."""
