"""The pure frontier, driven by a clock of the test's own."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.records import Job, Target
from scraper.urls.frontier import Frontier, HostLimits


def job(host: str, number: int = 0) -> Job:
    url = f"http://{host}/{number}"
    return Job(Target(number, url, url, host), url, host)


def frontier(per_host: int = 1, delay_s: float = 0.0) -> Frontier:
    return Frontier(lambda host: HostLimits(per_host, delay_s))


def test_empty_frontier_gives_nothing_and_has_no_event():
    empty = frontier()
    assert empty.take(0.0) is None
    assert empty.next_event() is None
    assert len(empty) == 0


def test_hosts_take_turns():
    queue = frontier(per_host=9)
    for host in ("a", "a", "b", "b"):
        queue.add(job(host), 0.0)
    assert [queue.take(0.0).host for _ in range(4)] == ["a", "b", "a", "b"]


def test_full_host_gives_its_next_job_only_when_one_is_done():
    queue = frontier(per_host=1)
    queue.add(job("a", 1), 0.0)
    queue.add(job("a", 2), 0.0)
    assert queue.take(0.0).target.key == 1
    assert queue.take(0.0) is None
    assert queue.next_event() is None  # only `done` can change that
    queue.done("a", 1.0)
    assert queue.take(1.0).target.key == 2


def test_delay_is_kept_between_the_starts_of_two_requests():
    queue = frontier(per_host=9, delay_s=2.0)
    for number in range(2):
        queue.add(job("a", number), 10.0)
    assert queue.take(10.0) is not None
    assert queue.take(11.9) is None
    assert queue.next_event() == 12.0
    assert queue.take(12.0) is not None


def test_delay_outlives_an_empty_queue():
    queue = frontier(delay_s=2.0)
    queue.add(job("a", 1), 0.0)
    queue.take(0.0)
    queue.done("a", 0.1)
    queue.add(job("a", 2), 0.2)
    assert queue.take(1.9) is None
    assert queue.take(2.0).target.key == 2


def test_held_host_waits_while_others_go_on():
    queue = frontier()
    queue.add(job("a"), 0.0)
    queue.add(job("b"), 0.0)
    queue.hold("a", 5.0)
    assert queue.take(0.0).host == "b"
    assert queue.take(4.9) is None
    assert queue.next_event() == 5.0
    assert queue.take(5.0).host == "a"


def test_shorter_hold_does_not_end_a_longer_one():
    queue = frontier()
    queue.add(job("a"), 0.0)
    queue.hold("a", 5.0)
    queue.hold("a", 1.0)
    assert queue.take(4.0) is None


def test_retry_comes_at_its_time_and_before_the_others_of_its_host():
    queue = frontier()
    queue.retry(job("a", 1), 3.0)
    for number in (2, 3):
        queue.add(job("a", number), 0.0)
    assert queue.take(0.0).target.key == 2
    assert (queue.backoffs, queue.next_event()) == (1, 3.0)
    queue.done("a", 3.0)
    assert queue.take(3.0).target.key == 1


def test_discard_drops_all_that_is_not_in_flight():
    queue = frontier(delay_s=1.0)
    for number in range(3):
        queue.add(job("a", number), 0.0)
    queue.retry(job("b"), 9.0)
    queue.take(0.0)
    assert queue.discard() == 3
    assert (len(queue), queue.in_flight, queue.next_event()) == (0, 1, None)
    queue.done("a", 5.0)
    assert queue.take(9.0) is None


def test_finished_hosts_are_forgotten():
    queue = frontier(delay_s=1.0)
    for number in range(1000):
        queue.add(job(f"h{number}"), 0.0)
    while taken := queue.take(0.0):
        queue.done(taken.host, 0.0)
    assert queue.take(1.0) is None  # their gap has passed: the heap is swept
    assert queue.hosts_waiting == 0
    assert not queue._hosts


@settings(max_examples=60, deadline=None)
@given(
    hosts=st.lists(st.integers(0, 6), min_size=1, max_size=60),
    per_host=st.integers(1, 3),
    delay_s=st.sampled_from([0.0, 0.5, 1.0]),
    service_s=st.lists(st.sampled_from([0.1, 0.7, 2.5]), min_size=1, max_size=5),
    holds=st.dictionaries(st.integers(0, 6), st.floats(0, 5), max_size=3),
)
def test_gap_and_concurrency_hold_and_every_job_comes_once(hosts, per_host, delay_s, service_s, holds):
    """A whole run in virtual time: at every event, take all that may run; each takes some seconds."""
    queue = frontier(per_host, delay_s)
    for number, host in enumerate(hosts):
        queue.add(job(f"h{host}", number), 0.0)
    for host, until in holds.items():
        queue.hold(f"h{host}", until)
    now, running, starts, seen = 0.0, [], {}, []
    while len(seen) < len(hosts) or running:
        while taken := queue.take(now):
            assert now >= holds.get(int(taken.host[1:]), 0.0)
            starts.setdefault(taken.host, []).append(now)
            running.append((now + service_s[len(seen) % len(service_s)], taken.host))
            seen.append(taken.target.key)
            assert sum(host == taken.host for _, host in running) <= per_host
        events = [end for end, _ in running] + [t for t in [queue.next_event()] if t is not None]
        now = min(events)
        for end, host in [entry for entry in running if entry[0] <= now]:
            running.remove((end, host))
            queue.done(host, now)
    assert sorted(seen) == list(range(len(hosts)))
    for times in starts.values():
        assert all(later >= sooner + delay_s for sooner, later in pairwise(times))
