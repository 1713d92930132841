"""What holds for the frontier whatever comes: checked against a plain model, in virtual time."""

from collections import defaultdict
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import log2
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.records import Job, Target
from scraper.urls import frontier as module
from scraper.urls.frontier import Frontier
from scraper.urls.pace import HostLimits


def job(host: str, number: int) -> Job:
    url = f"http://{host}/{number}"
    return Job(Target(number, url, url, host), url, host)


@dataclass
class Lane:
    """What the model knows of a host."""

    limits: HostLimits
    queued: set[int] = field(default_factory=set)
    backoffs: list[tuple[float, int]] = field(default_factory=list)
    in_flight: int = 0
    not_before: float = 0.0
    passed_by: set[str] = field(default_factory=set)
    """Hosts taken since this one could have been."""

    def may_start(self, now: float) -> bool:
        self.queued |= {number for at, number in self.backoffs if at <= now}
        self.backoffs = [(at, number) for at, number in self.backoffs if at > now]
        return bool(self.queued) and self.in_flight < self.limits.per_host and now >= self.not_before


class Checked:
    """A frontier and its model, side by side: each call is made to both, and what comes back is compared."""

    def __init__(self, limits_of):
        self.frontier = Frontier(limits_of)
        self.lanes: dict[str, Lane] = defaultdict(lambda: pytest.fail("unknown host"))
        self.limits_of = limits_of
        self.now = 0.0
        self.running: list[Job] = []
        self.given: list[int] = []
        self.numbers = 0

    def lane(self, host: str) -> Lane:
        return self.lanes.setdefault(host, Lane(self.limits_of(host)))

    def new_job(self, host: str) -> Job:
        self.numbers += 1
        return job(host, self.numbers)

    def add(self, host: str) -> None:
        added = self.new_job(host)
        self.lane(host).queued.add(added.target.key)
        assert self.frontier.add(added, self.now) is None

    def retry(self, host: str, wait_s: float) -> None:
        again = self.new_job(host)
        self.lane(host).backoffs.append((self.now + wait_s, again.target.key))
        self.frontier.retry(again, self.now + wait_s)

    def hold(self, host: str, wait_s: float) -> None:
        lane = self.lane(host)
        lane.not_before = max(lane.not_before, self.now + wait_s)
        lane.passed_by.clear()  # it waits for something else than its turn
        self.frontier.hold(host, self.now + wait_s)

    def drain(self, host: str) -> None:
        lane = self.lane(host)
        expected = lane.queued | {number for _, number in lane.backoffs}
        drained = [found.target.key for found in self.frontier.drain(f"http://{host}", host)]
        assert sorted(drained) == sorted(expected), "each job of the host that is not in flight, once"
        self.given += drained
        lane.queued, lane.backoffs = set(), []
        lane.passed_by.clear()

    def take(self) -> Job | None:
        able = {host for host, lane in self.lanes.items() if lane.may_start(self.now)}
        taken = self.frontier.take(self.now)
        if taken is None:
            assert not able, f"{able} could be asked, and nothing was given"
            return None
        assert taken.host in able, "too early, or too many at once"
        lane = self.lanes[taken.host]
        lane.queued.remove(taken.target.key)
        lane.in_flight += 1
        lane.not_before = self.now + lane.limits.delay_s
        self.running.append(taken)
        self.given.append(taken.target.key)
        self._check_turns(able, taken.host)
        return taken

    def _check_turns(self, able: set[str], taken: str) -> None:
        for host, lane in self.lanes.items():
            if host in able and host != taken:
                assert taken not in lane.passed_by, f"{taken} was served twice while {host} was ready"
                lane.passed_by.add(taken)
            else:
                lane.passed_by.clear()

    def done(self, which: int) -> None:
        if self.running:
            ended = self.running.pop(which % len(self.running))
            self.lanes[ended.host].in_flight -= 1
            self.frontier.done(ended, self.now)

    def finish(self) -> None:
        """Let all that is left run to its end, by the frontier's own events."""
        while len(self.frontier) or self.running:
            while self.take():
                pass
            if self.running:
                self.done(0)
            elif (at := self.frontier.next_event()) is not None:
                assert at > self.now, "a time gone by, and nothing was given"
                self.now = at
        assert sorted(self.given) == list(range(1, self.numbers + 1)), "no job lost, none doubled"
        assert self.frontier.in_flight == 0
        assert self.frontier.take(self.now + 1e6) is None
        assert not self.frontier._lanes, "hosts without work are forgotten when their gap has passed"


def limits_by_number(host: str) -> HostLimits:
    number = int(host[1:])
    return HostLimits(1 + number % 3, (0.0, 0.5, 2.0)[number % 3])


HOSTS = st.integers(0, 6).map("h{}".format)
WAITS = st.sampled_from([0.0, 0.1, 0.5, 1.0, 7.0])
STEPS = st.one_of(
    st.tuples(st.just("add"), HOSTS),
    st.tuples(st.just("take")),
    st.tuples(st.just("done"), st.integers(0, 20)),
    st.tuples(st.just("wait"), WAITS),
    st.tuples(st.just("retry"), HOSTS, WAITS),
    st.tuples(st.just("hold"), HOSTS, WAITS),
    st.tuples(st.just("drain"), HOSTS),
)


def play(checked: Checked, steps) -> None:
    for name, *arguments in steps:
        if name == "wait":
            checked.now += arguments[0]
        else:
            getattr(checked, name)(*arguments)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, max_size=120))
def test_any_interleaving_keeps_gaps_limits_holds_turns_and_jobs(steps):
    checked = Checked(limits_by_number)
    play(checked, steps)
    checked.finish()


@pytest.mark.parametrize("seed", range(3))
def test_the_same_with_hundreds_of_hosts_and_few_slots(seed):
    """Slots are what hosts compete for: here 20, so that most that are ready must wait for their turn."""
    rng, checked = Random(seed), Checked(limits_by_number)
    for _ in range(4000):
        host = f"h{rng.randrange(150)}"
        roll = rng.random()
        if roll < 0.45:
            checked.add(host)
        elif roll < 0.75:
            if len(checked.running) < 20:
                checked.take()
            else:
                checked.done(rng.randrange(20))
        elif roll < 0.9:
            checked.now += rng.expovariate(20)
        elif roll < 0.96:
            checked.retry(host, rng.random())
        else:
            checked.hold(host, rng.random() * 3)
    checked.finish()


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.5]), st.booleans())
def test_thousands_of_hosts_whatever_their_answers_say(seed, delay_s, adaptive):
    """Only the limits are checked here: how far below them an adaptive pace goes is its own affair."""
    rng, now, numbers = Random(seed), 0.0, 6000
    queue = Frontier(lambda host: HostLimits(2, delay_s, adaptive))
    for number in range(numbers):
        queue.add(job(f"h{rng.randrange(3000)}", number), now)
    running: list[tuple[float, int, Job]] = []
    last: dict[str, float] = {}
    at_once: dict[str, int] = defaultdict(int)
    seen = []
    while len(seen) < numbers or running:
        while len(running) < 256 and (taken := queue.take(now)):
            assert now >= last.get(taken.host, -9.0) + delay_s
            last[taken.host] = now
            at_once[taken.host] += 1
            assert at_once[taken.host] <= 2
            heappush(running, (now + rng.choice([0.01, 0.2, 3.0]), len(seen), taken))
            seen.append(taken.target.key)
        event = queue.next_event()
        if running and (event is None or running[0][0] <= event or len(running) == 256):
            now, _, ended = heappop(running)
            at_once[ended.host] -= 1
            queue.done(ended, now, rng.choice(["good", "good", "trouble", "silence", None]))
        else:
            assert event is not None
            now = max(now, event)
    assert sorted(seen) == list(range(numbers))


class Counted(Frontier):
    """Counts its own steps: a lane put somewhere is one."""

    steps = 0.0

    def _place(self, lane, now):
        self.steps += 1
        super()._place(lane, now)


def steps_a_take(hosts: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """A run with gaps, holds and retries: its steps a take; one in a heap of n counts log2 n."""
    queue = Counted(lambda host: HostLimits(1, 0.5))

    def counted(operation):
        def count(heap, *item):
            queue.steps += 1 + log2(len(heap) + 1)
            return operation(heap, *item)

        return count

    monkeypatch.setattr(module, "heappush", counted(heappush))
    monkeypatch.setattr(module, "heappop", counted(heappop))
    rng, now, takes = Random(1), 0.0, 0
    for number in range(3 * hosts):
        queue.add(job(f"h{number % hosts}", number), now)
    while len(queue):
        while (taken := queue.take(now)) is not None:
            takes += 1
            queue.done(taken, now + 0.01)
            if rng.random() < 0.1:
                queue.hold(taken.host, now + rng.random())
            if rng.random() < 0.1:
                queue.retry(job(taken.host, 0), now + rng.random())
        now = queue.next_event() or now
    return queue.steps / takes


def test_work_of_a_take_grows_with_the_logarithm_of_the_number_of_hosts(monkeypatch):
    few, many = steps_a_take(100, monkeypatch), steps_a_take(10_000, monkeypatch)
    assert many <= 4 + 3 * log2(10_000)
    assert many / few <= 1.2 * log2(10_000) / log2(100)
