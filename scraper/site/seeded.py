"""Chance that depends on the seed and a name only: not on the order of calls, the machine or the Python version.

Planned for thousands of pages a second: `random.Random` takes 7 us to seed, a page needs two of them; this takes 1.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_FRACTION = 1 << 53  # a float's exact whole numbers
_LOW_WATER = 1 << 64  # the fewer bits are left, the less even a choice among many gets


def uniform(seed: int, purpose: str, name: str) -> float:
    """An even number in 0 <= x < 1."""
    return Draws(seed, purpose, name).below(_FRACTION) / _FRACTION


class Draws:
    """A row of even choices; the same three arguments give the same row."""

    __slots__ = ("_bits", "_key", "_refills")

    def __init__(self, seed: int, purpose: str, name: str) -> None:
        """At the beginning of the row."""
        self._key = f"{seed}\n{purpose}\n{name}\n"
        self._refills = 0
        self._bits = 0

    def below(self, limit: int) -> int:
        """A whole number in 0 <= x < limit, limit up to 2**53."""
        if self._bits < _LOW_WATER:
            self._refill()
        self._bits, value = divmod(self._bits, limit)
        return value

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def percent(self, share: int) -> bool:
        """True in `share` of 100 cases."""
        return self.below(100) < share

    def pick(self, items: Sequence[T]) -> T:
        """One of the items; there must be one."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different items in any order; there must be as many."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def _refill(self) -> None:
        self._bits = int.from_bytes(blake2b(f"{self._key}{self._refills}".encode()).digest(), "big")
        self._refills += 1
