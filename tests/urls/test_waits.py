"""What the jobs that are not in flight wait for, and for which host most of them do."""

import pytest

from scraper.records import Fault, Job, Target
from scraper.stats import Waits
from scraper.urls.frontier import Frontier
from scraper.urls.pace import HostLimits, Sign
from scraper.urls.permits import Permits, first_hop
from scraper.urls.robots import ALLOW_ALL


def job(host: str, number: int = 0) -> Job:
    url = f"http://{host}/{number}"
    return Job(Target(number, url, url, host), url, host)


def frontier(*hosts: str, per_host: int = 1, delay_s: float = 0.0) -> Frontier:
    made = Frontier(lambda host: HostLimits(per_host, delay_s, adaptive=True))
    for number, host in enumerate(hosts):
        made.add(job(host, number), 0.0)
    return made


def sent(queue: Frontier, now: float = 0.0) -> Job:
    taken = queue.take(now)
    assert taken is not None
    return taken


def test_empty_frontier_waits_for_nothing():
    assert frontier().waits(0.0) == Waits()


def test_jobs_that_could_be_sent_are_counted_as_far_as_their_hosts_allow():
    queue = frontier("a", "a", "a", "b", per_host=2)
    assert queue.waits(0.0) == Waits(ready=3, hosts=2)


def test_host_with_all_its_requests_in_flight():
    queue = frontier("a", "a", "a", "b", "b", per_host=1)
    sent(queue), sent(queue)
    assert queue.waits(0.0) == Waits(hosts=2, host="a", why="per_host", jobs=2, allowed=1)


def test_host_that_most_jobs_wait_for_is_named():
    queue = frontier("a", "a", "b", "b", "b", "c")
    for _ in range(3):
        sent(queue)
    told = queue.waits(0.0)
    assert (told.host, told.jobs, told.ready) == ("b", 2, 0)


def test_delay():
    queue = frontier("a", "a", per_host=8, delay_s=2.0)
    sent(queue)
    assert queue.waits(0.1) == Waits(hosts=1, host="a", why="delay", jobs=1, allowed=8, gap_s=2.0)


def test_delay_that_robots_txt_asks_for():
    queue = frontier("a", "a", delay_s=2.0)
    queue.set_delay("a", 5.0)
    queue.done(sent(queue), 0.1)
    told = queue.waits(0.2)
    assert (told.why, told.gap_s) == ("crawl_delay", 5.0)


def test_delay_that_is_longer_than_what_robots_txt_asks_for_is_ours():
    queue = frontier("a", "a", delay_s=5.0)
    queue.set_delay("a", 2.0)
    queue.done(sent(queue), 0.1)
    assert queue.waits(0.2).why == "delay"


def test_one_request_at_a_time_as_robots_txt_asks_for_gaps():
    queue = frontier("a", "a", per_host=8)
    queue.set_delay("a", 1.0)
    sent(queue)
    assert queue.waits(2.0).why == "crawl_delay"


@pytest.mark.parametrize("sign", ["trouble", "silence"])
def test_host_that_is_asked_for_less_because_of_its_answers(sign: Sign):
    queue = frontier("a", "a", "a", "a", per_host=2)
    one, _ = sent(queue), sent(queue)
    queue.done(one, 0.5, sign)
    told = queue.waits(0.6)
    assert (told.why, told.allowed) == ("slowed", 1)


def test_host_that_asked_to_be_left_alone():
    queue = frontier("a", "a")
    queue.done(sent(queue), 0.1)
    queue.hold("a", 30.0)
    assert queue.take(1.0) is None
    assert queue.waits(1.0).why == "held"


def test_jobs_that_wait_for_their_next_try():
    queue = frontier("b", "b")
    sent(queue)
    for number in range(3):
        queue.retry(job("a", number), 9.0)
    assert queue.waits(0.1) == Waits(hosts=1, host="a", why="backoff", jobs=3)


def test_jobs_that_wait_for_their_host_outweigh_fewer_that_wait_for_their_next_try():
    queue = frontier("a", "a", "a")
    sent(queue)
    queue.retry(job("b"), 9.0)
    assert (queue.waits(0.1).host, queue.waits(0.1).why) == ("a", "per_host")


def test_shutdown_leaves_nothing_to_wait_for():
    queue = frontier("a", "a")
    sent(queue)
    queue.discard()
    assert queue.waits(0.0) == Waits()


def test_origin_whose_robots_txt_most_jobs_wait_for():
    permits = Permits(frozenset({"ourbot"}), 60.0)
    assert permits.most_waited() == ("", 0)
    asks = {}
    for host, jobs in (("a.example", 2), ("b.example", 3), ("c.example", 1)):
        for number in range(jobs):
            verdict = permits.judge(first_hop(job(host, number).target), 0.0)
            asks[host] = getattr(verdict, "ask", None) or asks.get(host)
    assert permits.most_waited() == ("http://b.example", 3)
    permits.settle(asks["b.example"], ALLOW_ALL, 0.0)
    assert permits.most_waited() == ("http://a.example", 2)
    permits.settle(asks["a.example"], Fault("timeout", ""), 0.0)
    permits.settle(asks["c.example"], ALLOW_ALL, 0.0)
    assert permits.most_waited() == ("", 0)
