"""A figure measured several times: its median, and from where to where it went. Pure.

Least and greatest, no confidence interval: of three or five measurements the latter says less than it promises.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Several measurements of one figure."""

    median: float
    low: float
    high: float

    def overlaps(self, other: "Spread") -> bool:
        """Whether some measurement of one could have been one of the other: then they are not told apart.

        >>> Spread(10, 9, 12).overlaps(Spread(13, 12, 14)), Spread(10, 9, 11).overlaps(Spread(13, 12, 14))
        (True, False)
        """
        return self.low <= other.high and other.low <= self.high

    @property
    def share(self) -> float:
        """How far it went from the median to either side, at most, as a share of it; 0 of what is 0."""
        return max(self.high - self.median, self.median - self.low) / self.median if self.median else 0.0

    def as_json(self) -> dict[str, Any]:
        """For compare.json."""
        return {"median": self.median, "low": self.low, "high": self.high}


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """Of those that were measured; None where none was.

    >>> spread_of([3.0, None, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """
    known = [value for value in values if value is not None]
    return Spread(median(known), min(known), max(known)) if known else None
