"""What "auto" finds for servers of all sorts, simulated: requests at once, and parse workers."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from heapq import heappop, heappush
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper import engine
from scraper.auto import MOST, START, Climb, Growth, Look, PoolLook
from scraper.fetch.retry import RetryPolicy
from scraper.models.inline import BusyTime
from scraper.models.whole import NoParser
from scraper.parts import EngineParts
from scraper.records import Fault, Target
from scraper.urls.pace import HostLimits

TICK_S = 0.05


class Server:
    """Takes up `per_s` requests a second, one after the other, and answers each after its latency."""

    def __init__(self, latency_s: float, per_s: float, spread: float = 0.0, seed: int = 1) -> None:
        self.latency_s, self.per_s, self.spread = latency_s, per_s, spread
        self._random = random.Random(seed)
        self._free_at = 0.0

    def ends_at(self, sent_at: float) -> float:
        self._free_at = max(self._free_at, sent_at) + 1 / self.per_s
        own_s = self.latency_s * self._random.uniform(1 - self.spread, 1 + self.spread)
        return self._free_at + own_s

    @property
    def best(self) -> float:
        """Requests at once from which on more gain nothing; where latencies differ, so many that it never waits."""
        return self.latency_s * (1 + self.spread) * self.per_s + 1

    def rate(self, requests: int) -> float:
        return min(requests / (self.latency_s + 1 / self.per_s), self.per_s)


class Run:
    """A loop that keeps as many requests in flight as a climb says."""

    def __init__(self, climb: Climb, server: Server, *, parse_per_s: float = inf, at_most: int = 10**6) -> None:
        self.climb, self.server = climb, server
        self.parse_per_s, self.at_most = parse_per_s, at_most
        self.now = 0.0
        self.is_short = False
        self.loop_share = 0.2
        self.is_good: Callable[[int], bool] = lambda in_flight: True
        self._flights: list[tuple[float, float]] = []
        self._whole = 0
        self._parsed = self._loop_s = 0.0
        self.standing: list[tuple[float, int]] = []

    def until(self, end: float) -> None:
        while self.now < end:
            self._tick(self.now + TICK_S)

    def _tick(self, until: float) -> None:
        self._send(self.now)
        while self._flights and self._flights[0][0] <= until:
            ended_at, sent_at = heappop(self._flights)
            self.climb.ended(sent_at, ended_at - sent_at, self.is_good(len(self._flights) + 1))
            self._whole += 1
            self._send(ended_at)
        self._parsed = min(self._whole, self._parsed + TICK_S * self.parse_per_s)
        self._loop_s += TICK_S * self.loop_share
        self.now = until
        parsed = int(self._parsed)
        look = Look(until, len(self._flights), self._loop_s, self._whole - parsed, parsed, self.is_short)
        self.climb.look(look)
        self.standing.append((until, self.climb.stands))

    def _send(self, at: float) -> None:
        while len(self._flights) < min(self.climb.now, self.at_most):
            heappush(self._flights, (self.server.ends_at(at), at))


SERVERS = st.builds(
    Server,
    latency_s=st.floats(0.01, 0.4),
    per_s=st.floats(40.0, 600.0),
    spread=st.sampled_from([0.0, 0.1, 0.5]),
    seed=st.integers(0, 1000),
)


@settings(max_examples=60, deadline=None)
@given(server=SERVERS)
def test_requests_at_once_end_near_the_best_and_lose_little(server: Server) -> None:
    run = Run(Climb(), server)
    run.until(4.0 + 30 * server.latency_s + 12 * START / server.rate(START))
    stands = run.climb.stands
    assert server.rate(stands) >= 0.95 * server.rate(MOST)
    assert stands <= max(2 * server.best, START)


def test_far_server_is_asked_for_as_much_as_it_can_give_within_two_seconds() -> None:
    run = Run(Climb(), Server(0.1, 2560.0))
    run.until(2.0)
    assert run.climb.stands == 256
    assert run.climb.why() == "256 (16 gave 159 pages/s, 32 319, 64 638, 128 1,275, 256 2,550)"


def test_no_more_are_in_flight_than_the_system_bears() -> None:
    run = Run(Climb(100), Server(0.1, 10**6))
    run.until(10.0)
    assert run.climb.now == run.climb.stands == 64
    assert Climb(5).now == 5


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (lambda run: setattr(run, "loop_share", 0.97), "the loop has no time for more"),
        (lambda run: setattr(run, "is_short", True), "run.memory is full"),
        (lambda run: setattr(run, "parse_per_s", 50.0), "the parse workers are full"),
        (lambda run: setattr(run, "at_most", 8), "not all of them were in use: politeness or the list allowed no more"),
    ],
    ids=["loop", "memory", "parse", "politeness"],
)
def test_nothing_is_tried_where_not_latency_is_the_limit(hinder: Callable[[Run], None], why: str) -> None:
    run = Run(Climb(), Server(0.05, 10**6))
    hinder(run)
    run.until(8.0)
    assert {stands for _, stands in run.standing} == {START}
    assert run.climb.why().endswith(f"; {why})")


def test_pages_that_pile_up_before_the_workers_end_the_climb_at_once() -> None:
    run = Run(Climb(), Server(0.01, 10**6), parse_per_s=2000.0)
    run.until(1.5)
    assert run.climb.stands == 32
    assert run.climb.why().endswith("; the parse workers are full)")


def test_climb_goes_on_when_what_held_it_is_over() -> None:
    run = Run(Climb(), Server(0.05, 2000.0))
    run.loop_share = 0.97
    run.until(3.0)
    assert run.climb.stands == START
    run.loop_share = 0.3
    run.until(8.0)
    assert run.climb.stands == 128


def test_servers_that_become_slower_are_looked_at_anew() -> None:
    run = Run(Climb(), Server(0.05, 640.0))
    run.until(6.0)
    assert run.climb.stands == 32
    run.server.latency_s = 0.4
    run.until(20.0)
    assert run.climb.stands == 256


def test_servers_that_can_do_less_are_asked_for_less() -> None:
    run = Run(Climb(), Server(0.1, 2560.0))
    run.until(4.0)
    assert run.climb.stands == 256
    run.server.per_s = 320.0
    run.until(20.0)
    assert run.climb.stands <= 64


def test_answers_that_say_too_much_gain_nothing() -> None:
    run = Run(Climb(), Server(0.05, 10**6))
    run.is_good = lambda in_flight: in_flight <= 40
    run.until(6.0)
    assert run.climb.stands == 32


def test_doubling_in_vain_is_tried_again_ever_more_rarely() -> None:
    run = Run(Climb(), Server(0.05, 320.0))
    tried = []
    before = START
    while run.now < 60.0:
        run.until(run.now + TICK_S)
        if run.climb.now > before:
            tried.append(run.now)
        before = run.climb.now
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert 4 <= len(tried) <= 8
    assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))


def test_too_short_a_run_says_so() -> None:
    assert Climb().why() == "16 (the run was too short to try more)"


# -- the engine that is told ------------------------------------------------------------------------------------------


class Steps:
    """A climb that says what it was made with, for ten looks each."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = [number for number in numbers for _ in range(10)]
        self.now = numbers[0]

    def ended(self, sent_at: float, took_s: float, is_good: bool) -> None:
        pass

    def look(self, look: Look) -> int:
        self.now = self._numbers.pop(0) if self._numbers else self.now
        return self.now


class Asked:
    """A fetcher whose pages are gone, and an outlet; it notes what was allowed, and how many were asked at once."""

    def __init__(self, climb: Steps) -> None:
        self.climb = climb
        self.seen: list[tuple[int, int]] = []
        self.ended = 0
        self.in_flight = 0
        self.all_ended = asyncio.Event()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        return None

    async def fetch(self, job, reservation):
        self.in_flight += 1
        self.seen.append((self.climb.now, self.in_flight))
        await asyncio.sleep(0.004)
        self.in_flight -= 1
        return Fault("http_status", "gone", 404)

    def failed(self, target, fault, attempts):
        self.ended += 1
        if self.ended == TARGETS:
            self.all_ended.set()

    def moved(self) -> None:
        pass

    def short_of_memory(self) -> None:
        pass


TARGETS = 1_500


async def test_engine_has_as_many_requests_in_flight_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LOOK_EVERY_S", 0.01)
    climb = Steps(3, 24, 5, 10, 2)
    asked = Asked(climb)
    parts = EngineParts(
        fetcher=asked,
        open_parser=lambda on_parsed: NoParser(BusyTime()),
        retries=RetryPolicy(0),
        host_limits=lambda host: HostLimits(1000, 0.0),
        concurrency=3,
        window=TARGETS,
        memory=1 << 24,
        max_redirects=0,
        climb=climb,
    )
    async with engine.LocalEngine(parts, asked) as local:
        for number in range(TARGETS):
            local.enter(Target(number, f"http://a/{number}", f"http://a/{number}", "a"))
        await asyncio.wait_for(asked.all_ended.wait(), 30)
        assert local.gauges().slots == 2
        local.close()
    most = {number: max(at_once for told, at_once in asked.seen if told == number) for number in (3, 24, 10)}
    assert most == {3: 3, 24: 24, 10: 10}
    late = [at_once for told, at_once in asked.seen if told == 2]
    assert max(late[len(late) // 2 :]) == 2


# -- workers ----------------------------------------------------------------------------------------------------------

BUSY = PoolLook(0.0, 2, are_full=True, waiting_s=5.0, idle_s=0.0)


def grown(growth: Growth, looks: int, idle_cores: float | None, **state: object) -> list[int]:
    """How many workers were started at each look of a quarter of a second."""
    started, workers = [], 2
    for number in range(looks):
        at = number * 0.25
        idle_s = None if idle_cores is None else at * idle_cores
        look = replace(BUSY, at=at, workers=workers, idle_s=idle_s, **state)
        started.append(growth.look(look))
        workers += started[-1]
    return started


@pytest.mark.parametrize(
    ("most", "idle_cores", "state", "started"),
    [
        (8, 6.0, {}, [0, 2, 0, 4]),
        (8, None, {}, [0, 2, 0, 4]),
        (8, 1.1, {}, [0, 1, 0, 1]),
        (3, 6.0, {}, [0, 1, 0, 0]),
        (2, 6.0, {}, [0, 0, 0, 0]),
        (8, 0.3, {}, [0, 0, 0, 0]),
        (8, 6.0, {"are_full": False}, [0, 0, 0, 0]),
        (8, 6.0, {"waiting_s": 0.1}, [0, 0, 0, 0]),
        (8, 6.0, {"waiting_s": inf}, [0, 2, 0, 4]),
    ],
    ids=[
        "doubles up to the cores", "idle time unknown", "one idle core", "one core left", "all cores", "no idle core",
        "a worker has room", "soon done", "none is done yet",
    ],
)  # fmt: skip
def test_workers_are_added_for_pages_that_wait_longer_than_a_start(
    most: int, idle_cores: float | None, state: dict[str, object], started: list[int]
) -> None:
    assert grown(Growth(most), 4, idle_cores, **state) == started


def test_one_look_at_a_burst_adds_no_worker() -> None:
    growth = Growth(8)
    looks = [replace(BUSY, at=0.25 * n, idle_s=2.0 * n, waiting_s=5.0 * (n % 2)) for n in range(10)]
    assert [growth.look(look) for look in looks] == [0] * 10
