"""Which proxy is next, and which are left alone for a while because they failed. Pure: the time comes in (seconds)."""

from collections.abc import Container

FIRST_COOLING_S = 30.0
LONGEST_COOLING_S = 600.0
MOST_DOUBTS = 8
"""Requests in a row to which nothing came back through a proxy: one is the host's fault, so many are the proxy's."""


class Rotation:
    """A number of proxies that take turns."""

    def __init__(self, count: int) -> None:
        """They are told apart by their index."""
        self._cools_until = [0.0] * count
        self._failures = [0] * count
        self._doubts = [0] * count
        self._next = 0

    def choose(self, now: float, tried: Container[int] = ()) -> int | None:
        """The next proxy in turn that is not cooling and not in `tried`; None where there is none."""
        count = len(self._cools_until)
        for index in ((self._next + step) % count for step in range(count)):
            if self._cools_until[index] <= now and index not in tried:
                self._next = index + 1
                return index
        return None

    def failed(self, index: int, now: float) -> None:
        """Let a proxy cool: 30 s, doubling up to 10 min. Failures that were under way then count once."""
        if self._cools_until[index] > now:
            return
        cooling_s = min(FIRST_COOLING_S * 2 ** min(self._failures[index], 16), LONGEST_COOLING_S)
        self._failures[index] += 1
        self._doubts[index] = 0
        self._cools_until[index] = now + cooling_s

    def doubted(self, index: int, now: float) -> None:
        """Nothing came back in time: the proxy's fault only where it goes on."""
        self._doubts[index] += 1
        if self._doubts[index] >= MOST_DOUBTS:
            self.failed(index, now)

    def worked(self, index: int, now: float) -> None:
        """An answer came through: all is forgiven, but for a cooling that has begun."""
        self._doubts[index] = 0
        if self._cools_until[index] <= now:
            self._failures[index] = 0

    def wait_s(self, now: float) -> float:
        """Seconds until one has cooled."""
        return max(0.0, min(self._cools_until) - now)
