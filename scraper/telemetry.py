"""What a session notes of its pages and its hosts, in bounded memory. Pure; it belongs to the loop's thread.

Pages come many at a time, as the parser gives them back, so that a page costs no call of its own. One costs 1.2 us
in a batch of 6, where the loop spends 440 on it (CPU time, Python 3.11; tests/test_telemetry.py holds it to 4).

Hosts: the counts are exact for up to 2,000. Beyond, the half with the fewest pages is summed up under "", and what the
greatest of it had is taken off the weight of the others, as Misra and Gries (1982) do; Anderson et al. (2017, "A High-
Performance Algorithm for Identifying Frequent Items in Data Streams") do it in batches. So a host with more than a
thousandth of all pages is always there, and lacks no more pages than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop

import msgspec

from scraper.histogram import Histogram

HOSTS_HELD = 2_000
HOSTS_TOLD = 1_000
EXTREMES = 20
"""Pages told of those that took longest, and of the largest."""
LONG_STALL_S = 0.05
"""Half of what a person feels as a delay; asyncio's own debug mode begins at 0.1 s."""
OTHERS = ""
"""The name under which the hosts that are not told by name are summed up."""


class PageTimes(msgspec.Struct, frozen=True, gc=False):
    """How a page came to be a row; seconds."""

    host: str
    url: str
    """That answered. Without user:password."""
    size: int
    """Bytes of the body, as it was sent."""
    head_s: float
    """From the start of its request to the head of the answer."""
    took_s: float
    """To the last byte."""
    parse_s: float
    """From then until its row was back."""


@dataclass(slots=True)
class Host:
    """What a host has answered."""

    ok: int = 0
    """Pages that gave a row."""
    failed: int = 0
    """URLs that ended as failures."""
    bytes: int = 0
    seconds: float = 0.0
    """Sum over the requests of its pages."""
    longest_s: float = 0.0
    weight: int = 0
    """What decides who is held: its URLs, less what was taken off."""

    def merge(self, other: "Host") -> None:
        """Add the sums of another one."""
        self.ok += other.ok
        self.failed += other.failed
        self.bytes += other.bytes
        self.seconds += other.seconds
        self.longest_s = max(self.longest_s, other.longest_s)


@dataclass(slots=True)
class Stalls:
    """How long the loop was kept from its timers."""

    longest_s: float = 0.0
    long: int = 0
    """Times of more than LONG_STALL_S."""


Extreme = tuple[float, str, float]
"""(what is compared, URL, the other figure): seconds and bytes, or bytes and seconds."""


class Recorder:
    """Notes what a session does."""

    def __init__(self) -> None:
        """Nothing was noted."""
        self.head = Histogram()
        self.body = Histogram()
        self.parse = Histogram()
        self.page = Histogram()
        self.stalls = Stalls()
        self.slowest: list[Extreme] = []
        """A heap, the least of them first; as the next."""
        self.largest: list[Extreme] = []
        self._hosts: dict[str, Host] = {}
        self._others = Host()

    def pages(self, pages: Sequence[PageTimes]) -> None:
        """Pages gave a row."""
        self.head.add([page.head_s for page in pages])
        self.body.add([page.took_s - page.head_s for page in pages])
        self.parse.add([page.parse_s for page in pages])
        self.page.add([page.took_s + page.parse_s for page in pages])
        slowest, largest = self.slowest, self.largest
        for page in pages:
            name, size, took_s = page.host, page.size, page.took_s
            host = self._hosts.get(name) or self._host(name)
            host.ok += 1
            host.weight += 1
            host.bytes += size
            host.seconds += took_s
            if took_s > host.longest_s:
                host.longest_s = took_s
            if len(slowest) < EXTREMES or took_s > slowest[0][0]:
                _keep_extreme(slowest, (took_s, page.url, size))
            if len(largest) < EXTREMES or size > largest[0][0]:
                _keep_extreme(largest, (size, page.url, took_s))

    def failed(self, name: str) -> None:
        """A URL of a host ended as a failure."""
        host = self._host(name)
        host.failed += 1
        host.weight += 1

    def stalled(self, seconds: float) -> None:
        """A timer of the loop was late."""
        stalls = self.stalls
        stalls.longest_s = max(stalls.longest_s, seconds)
        stalls.long += seconds > LONG_STALL_S

    def hosts(self) -> list[tuple[str, Host]]:
        """The HOSTS_TOLD hosts with the most URLs, most first; all others as one behind them, where there are any."""
        ranked = sorted(self._hosts.items(), key=lambda item: -(item[1].ok + item[1].failed))
        others = Host()
        for host in (self._others, *(host for _, host in ranked[HOSTS_TOLD:])):
            others.merge(host)
        return [*ranked[:HOSTS_TOLD], *([(OTHERS, others)] if others.ok or others.failed else [])]

    def _host(self, name: str) -> Host:
        host = self._hosts.get(name)
        if host is None:
            if len(self._hosts) >= HOSTS_HELD:
                _purge(self._hosts, self._others)
            host = self._hosts[name] = Host()
        return host


def _keep_extreme(heap: list[Extreme], extreme: Extreme) -> None:
    if len(heap) < EXTREMES:
        heappush(heap, extreme)
    else:
        heappushpop(heap, extreme)


def _purge(hosts: dict[str, Host], others: Host) -> None:
    """Sum up the lighter half of the hosts with the others; of those as light, the ones that came first."""
    lighter = sorted(hosts, key=lambda name: hosts[name].weight)[: len(hosts) // 2]
    most = hosts[lighter[-1]].weight
    for name in lighter:
        others.merge(hosts.pop(name))
    for host in hosts.values():
        host.weight -= most
