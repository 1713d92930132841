"""The pure frontier, driven by a clock of the test's own."""

import pytest

from scraper.records import Fault, Job, Target
from scraper.urls import frontier as module
from scraper.urls.breaker import FIRST_S, MOST_IN_ROW
from scraper.urls.frontier import Frontier
from scraper.urls.pace import HostLimits


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
    first = queue.take(0.0)
    assert first.target.key == 1
    assert queue.take(0.0) is None
    assert queue.next_event() is None  # only `done` can change that
    queue.done(first, 1.0)
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
    queue.done(queue.take(0.0), 0.1)
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
    taken = queue.take(0.0)
    assert taken.target.key == 2
    assert (queue.backoffs, queue.next_event()) == (1, 3.0)
    queue.done(taken, 3.0)
    assert queue.take(3.0).target.key == 1


def test_discard_drops_all_that_is_not_in_flight():
    queue = frontier(delay_s=1.0)
    for number in range(3):
        queue.add(job("a", number), 0.0)
    queue.retry(job("b"), 9.0)
    taken = queue.take(0.0)
    assert queue.discard() == 3
    assert (len(queue), queue.in_flight, queue.next_event()) == (0, 1, None)
    queue.done(taken, 5.0)
    assert queue.take(9.0) is None


def test_finished_hosts_are_forgotten():
    queue = frontier(delay_s=1.0)
    for number in range(1000):
        queue.add(job(f"h{number}"), 0.0)
    while taken := queue.take(0.0):
        queue.done(taken, 0.0)
    assert queue.take(1.0) is None  # their gap has passed: the heap is swept
    assert queue.next_event() is None
    assert not queue._lanes


# -- pace -----------------------------------------------------------------------------------------------------------


def adaptive(per_host: int, delay_s: float = 0.0) -> Frontier:
    return Frontier(lambda host: HostLimits(per_host, delay_s, adaptive=True))


def fill(queue: Frontier, count: int, host: str = "a") -> None:
    for number in range(count):
        queue.add(job(host, number), 0.0)


def take_all(queue: Frontier, now: float) -> list[Job]:
    return list(iter(lambda: queue.take(now), None))


def test_host_that_is_loaded_gets_half_as_many_requests_at_once():
    queue = adaptive(per_host=8)
    fill(queue, 30)
    running = take_all(queue, 0.0)
    assert len(running) == 8
    queue.done(running.pop(), 1.0, "trouble")
    assert take_all(queue, 1.0) == [], "7 are in flight, 4 allowed"
    for taken in running:
        queue.done(taken, 1.0)
    assert len(take_all(queue, 1.0)) == 4


def test_cut_counts_for_a_host_that_stands_in_the_round_already():
    queue = adaptive(per_host=4)
    fill(queue, 3)
    first, second = queue.take(0.0), queue.take(0.0)
    queue.done(first, 1.0, "trouble")  # 4 -> 2
    third = queue.take(1.0)
    assert third is not None
    fill(queue, 2)
    queue.done(second, 2.0, "trouble")  # sent before the cut: says nothing new
    assert queue.take(2.0) is not None
    queue.done(third, 3.0, "trouble")  # 2 -> 1, and one is in flight
    assert queue.take(3.0) is None


def test_gap_counts_from_the_last_start():
    queue = adaptive(per_host=1)
    fill(queue, 5)
    queue.done(queue.take(0.0), 0.5, "good")
    queue.done(queue.take(1.0), 1.5, "trouble")  # a latency of 0.5 s makes a gap of 1 s
    assert queue.take(1.9) is None
    assert queue.next_event() == 2.0
    assert queue.take(2.0) is not None


def test_answers_change_nothing_where_the_pace_is_not_adaptive():
    queue = frontier(per_host=2)
    fill(queue, 9)
    for now in range(4):
        taken = take_all(queue, now)
        assert len(taken) == 2
        for each in taken:
            queue.done(each, now, "trouble")


def test_streak_of_troubled_round_trips_is_told_while_the_job_is_in_flight():
    queue = frontier(per_host=2)
    fill(queue, 9)
    for now in range(3):
        taken = take_all(queue, now)
        assert [queue.streak(each) for each in taken] == [now, now]
        for each in taken:
            queue.done(each, now + 0.5, "trouble")
    queue.done(queue.take(9.0), 9.5, "good")
    assert queue.streak(queue.take(10.0)) == 0


def test_slowed_host_is_remembered_when_all_its_jobs_are_done():
    queue = adaptive(per_host=4)
    fill(queue, 1)
    queue.done(queue.take(0.0), 1.0, "trouble")
    assert not queue._lanes
    fill(queue, 9)
    assert len(take_all(queue, 1.0)) == 2


def test_only_so_many_slowed_hosts_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MOST_PACES", 3)
    queue = adaptive(per_host=4)
    for host in "abcde":
        fill(queue, 1, host)
        queue.done(queue.take(0.0), 1.0, "trouble")
    assert list(queue._paces) == ["c", "d", "e"]


# -- the delay that robots.txt asks for -------------------------------------------------------------------------------


def test_set_delay_lets_one_request_at_a_time_pass_at_that_gap():
    queue = frontier(per_host=4)
    fill(queue, 4)
    first = queue.take(10.0)
    queue.set_delay("a", 3.0)
    assert queue.take(12.9) is None
    assert queue.take(13.0) is None, "the first is still in flight"
    queue.done(first, 13.5)
    assert queue.take(13.5) is not None


def test_set_delay_is_no_shorter_than_the_configured_one():
    queue = frontier(per_host=4, delay_s=5.0)
    fill(queue, 2)
    queue.set_delay("a", 1.0)
    queue.done(queue.take(0.0), 0.1)
    assert queue.take(4.9) is None
    assert queue.take(5.0) is not None


def test_set_delay_is_remembered_for_hosts_without_jobs():
    queue = frontier(per_host=4)
    queue.set_delay("a", 3.0)
    for start in (0.0, 100.0):
        fill(queue, 2)
        queue.done(queue.take(start), start)
        assert queue.take(start + 2.9) is None
        queue.done(queue.take(start + 3.0), start + 3.0)
        assert queue.take(start + 50) is None


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_delay_that_is_none_is_refused(seconds):
    with pytest.raises(ValueError, match="a delay of"):
        frontier().set_delay("a", seconds)


# -- hosts that are set aside -----------------------------------------------------------------------------------------

REFUSED = Fault("connect", "connection refused")


def fail_in_row(queue: Frontier, count: int, now: float = 0.0) -> Fault | None:
    verdict = None
    for number in range(count):
        assert queue.add(job("a", number), now) is None
        taken = queue.take(now)
        verdict = queue.fail(taken, REFUSED, is_final=True, now=now)
        queue.done(taken, now, "silence")
    return verdict


def test_host_that_fails_in_a_row_is_set_aside_and_its_jobs_can_be_drained():
    queue = frontier(per_host=4)
    assert fail_in_row(queue, MOST_IN_ROW - 1) is None
    fill(queue, 2, "b")
    fill(queue, 6)
    queue.retry(job("a", 90), 5.0)
    queue.retry(job("b", 91), 5.0)
    taken = next(found for found in take_all(queue, 0.0) if found.host == "a")
    verdict = queue.fail(taken, REFUSED, is_final=True, now=0.0)
    assert (verdict.kind, "http://a was set aside after 8 failures in a row" in verdict.message) == ("connect", True)
    assert [found.target.key for found in queue.drain("http://a", "a")] == [4, 5, 90], "the others of it are in flight"
    assert (len(queue), queue.backoffs) == (1, 1)
    assert queue.add(job("a", 92), 1.0) == verdict
    assert queue.add(job("b", 93), 1.0) is None


def test_one_job_is_tried_first_when_the_time_is_over():
    queue = frontier(per_host=4)
    fail_in_row(queue, MOST_IN_ROW)
    now = FIRST_S
    fill_at = [queue.add(job("a", number), now) for number in range(5)]
    assert fill_at == [None] * 5
    first, *others = take_all(queue, now)
    assert not others
    queue.done(first, now + 1, "good")
    assert len(take_all(queue, now + 1)) == 4


def test_trial_that_fails_sets_the_host_aside_at_once_even_where_the_url_would_be_tried_again():
    queue = frontier(per_host=4)
    fail_in_row(queue, MOST_IN_ROW)
    assert queue.add(job("a", 1), FIRST_S) is None
    assert queue.add(job("a", 2), FIRST_S) is None
    trial = queue.take(FIRST_S)
    assert queue.fail(trial, REFUSED, is_final=False, now=FIRST_S) is not None
    queue.done(trial, FIRST_S, "silence")
    assert [found.target.key for found in queue.drain("http://a", "a")] == [2]
    assert queue.add(job("a", 3), FIRST_S + 2 * FIRST_S - 1) is not None
    assert queue.add(job("a", 3), FIRST_S + 2 * FIRST_S) is None


def test_an_answer_between_begins_the_count_anew():
    queue = frontier(per_host=4)
    for _ in range(3):
        assert fail_in_row(queue, MOST_IN_ROW - 1) is None
        queue.add(job("a"), 0.0)
        queue.done(queue.take(0.0), 0.0, "good")
    assert not queue._breakers.book


# -- lanes ------------------------------------------------------------------------------------------------------------


def test_hosts_in_one_lane_share_its_limits():
    queue = frontier(per_host=1, delay_s=1.0)
    for host in ("a", "b"):
        queue.add(job(host), 0.0, lane="192.0.2.1")
    queue.add(job("c"), 0.0)
    first, third = take_all(queue, 0.0)
    assert (first.host, third.host) == ("a", "c")
    queue.done(first, 0.5)
    assert queue.take(0.9) is None
    assert queue.take(1.0).host == "b"


def test_retry_hold_and_drain_know_lanes():
    queue = frontier(per_host=9)
    for host in ("a", "b", "a"):
        queue.add(job(host), 0.0, lane="192.0.2.1")
    queue.retry(job("b", 7), 1.0, lane="192.0.2.1")
    queue.hold("192.0.2.1", 2.0)
    assert queue.take(1.9) is None
    assert [found.host for found in queue.drain("http://a", "192.0.2.1")] == ["a", "a"]
    assert [found.target.key for found in take_all(queue, 2.0)] == [7, 0]
