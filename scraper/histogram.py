"""Log histograms of durations in bounded memory, and what may be read off them. Pure.

Eight buckets an octave: the bounds of a bucket are 9.1 % apart, so a quantile, which is given as the geometric middle
of its bucket, is within 4.5 % of the true one. From a microsecond to twelve days that makes 320 numbers, 2.6 kB.
"""

from collections.abc import Iterable, Sequence
from math import log2

import msgspec

PER_OCTAVE = 8
OCTAVES = 40
LEAST_S = 1e-6
"""All that is shorter is in the first bucket; all that is longer than 2**40 times that, in the last."""
_LAST = PER_OCTAVE * OCTAVES - 1
_SHIFT = -log2(LEAST_S) * PER_OCTAVE

Buckets = Sequence[tuple[float, int]]
"""(upper bound in seconds, how many), rising; only those with any."""


class Histogram(msgspec.Struct, gc=False):
    """How many durations fell into each bucket."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (_LAST + 1))

    def add(self, durations: Iterable[float]) -> None:
        """Count some durations: all at once, for a call for each would cost more than the counting."""
        counts = self.counts
        for seconds in durations:
            if seconds > LEAST_S:
                place = int(log2(seconds) * PER_OCTAVE + _SHIFT)
                counts[place if place < _LAST else _LAST] += 1  # min() would take as long as all the rest
            else:
                counts[0] += 1

    def add_same(self, seconds: float, n: int) -> None:
        """Count a duration `n` times."""
        self.counts[min(int(log2(max(seconds, LEAST_S)) * PER_OCTAVE + _SHIFT), _LAST)] += n

    def merge(self, other: "Histogram") -> None:
        """Count what another one has counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]

    def buckets(self) -> list[tuple[float, int]]:
        """What was counted, as `Buckets`.

        >>> durations = Histogram()
        >>> durations.add([0.001, 0.001, 0.1])
        >>> durations.buckets()
        [(0.001024, 2), (0.1011, 1)]
        """
        return [(_upper_s(place), n) for place, n in enumerate(self.counts) if n]


def quantile(buckets: Buckets, q: float) -> float | None:
    """The duration that a share `q` of all do not exceed, within 4.5 %; None where nothing was counted.

    ValueError for a share that is none.

    >>> durations = Histogram()
    >>> durations.add(milliseconds / 1000 for milliseconds in range(1, 1001))
    >>> [round(quantile(durations.buckets(), q), 2) for q in (0.5, 0.95, 0.99)]
    [0.5, 0.92, 1.0]
    """
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile of {q}")
    rank = q * sum(n for _, n in buckets)
    so_far = 0
    for bound_s, n in buckets:
        so_far += n
        if so_far >= rank:
            return float(bound_s * 2 ** (-0.5 / PER_OCTAVE))
    return None


def _upper_s(place: int) -> float:
    """The upper bound of a bucket, to four digits: more would say nothing."""
    return float(f"{LEAST_S * 2 ** ((place + 1) / PER_OCTAVE):.4g}")
