"""The gate: who gets a job, when, and what cancellation leaves behind."""

import asyncio

from scraper.records import Fault, Job, Target
from scraper.urls.breaker import MOST_IN_ROW
from scraper.urls.frontier import Frontier
from scraper.urls.gate import Gate
from scraper.urls.pace import HostLimits


def job(number: int, host: str = "a") -> Job:
    url = f"http://{host}/{number}"
    return Job(Target(number, url, url, host), url, host)


def gate(per_host: int = 100, delay_s: float = 0.0, window: int = 10) -> Gate:
    return Gate(Frontier(lambda host: HostLimits(per_host, delay_s)), window)


async def test_task_that_waits_gets_the_next_job():
    queue = gate()
    taker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.put(job(1))
    assert (await taker).target.key == 1


async def test_waiting_tasks_are_served_in_their_order():
    queue = gate()
    takers = [asyncio.ensure_future(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    for number in range(3):
        queue.put(job(number))
    assert [(await taker).target.key for taker in takers] == [0, 1, 2]


async def test_done_wakes_a_task_that_waits_for_the_host():
    queue = gate(per_host=1)
    queue.put(job(1))
    queue.put(job(2))
    first = await queue.take()
    taker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    assert not taker.done()
    queue.done(first)
    assert (await taker).target.key == 2


async def test_one_timer_wakes_a_host_whose_delay_has_passed():
    queue = gate(delay_s=0.02)
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(3):
        queue.put(job(number))
    for _ in range(3):
        queue.done(await queue.take())
    assert loop.time() - started >= 0.04


async def test_retry_is_given_after_its_wait():
    queue = gate()
    loop = asyncio.get_running_loop()
    started = loop.time()
    queue.retry(job(1), 0.02)
    await queue.take()
    assert loop.time() - started >= 0.02


async def test_room_is_given_when_jobs_are_taken():
    queue = gate(window=2)
    queue.put(job(1))
    await asyncio.wait_for(queue.room(), 1)
    queue.put(job(2))
    waiting = asyncio.ensure_future(queue.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await queue.take()
    await asyncio.wait_for(waiting, 1)


async def test_once_closed_nothing_begins_any_more():
    queue = gate()
    queue.put(job(1))
    queue.close()
    queue.put(job(2))
    queue.retry(job(3), 0.0)
    assert await queue.take() is None
    assert len(queue.frontier) == 0


async def test_close_sends_waiting_tasks_home_and_drops_what_is_queued():
    queue = gate(per_host=1)
    for number in range(3):
        queue.put(job(number))
    await queue.take()
    takers = [asyncio.ensure_future(queue.take()) for _ in range(2)]
    await asyncio.sleep(0)
    assert queue.close() == 2
    assert [await taker for taker in takers] == [None, None]
    assert await queue.take() is None


async def test_cancelled_task_loses_no_job():
    queue = gate()
    taker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.put(job(1))
    taker.cancel()  # the job was given to it, but it has not run since
    await asyncio.gather(taker, return_exceptions=True)
    assert taker.cancelled()
    assert (await asyncio.wait_for(queue.take(), 1)).target.key == 1
    assert queue.frontier.in_flight == 1


async def test_answers_slow_a_host_down():
    queue = Gate(Frontier(lambda host: HostLimits(2, 0.0, adaptive=True)), 10)
    for number in range(4):
        queue.put(job(number))
    first, second = await queue.take(), await queue.take()
    queue.done(first, "trouble")
    queue.done(second, "trouble")
    assert queue.streak(await queue.take()) == 1
    taker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    assert not taker.done(), "one at a time now"
    queue.close()
    assert await taker is None


async def fail_in_row(queue: Gate, count: int) -> Fault | None:
    verdict = None
    for number in range(count):
        assert queue.put(job(number)) is None
        taken = await queue.take()
        verdict = queue.fail(taken, Fault("connect", "refused"), is_final=True)
        queue.done(taken, "silence")
    return verdict


async def test_host_that_is_set_aside_takes_no_job_and_gives_back_those_it_has():
    queue = gate(window=2)
    assert await fail_in_row(queue, MOST_IN_ROW - 1) is None
    for number in range(50, 53):
        queue.put(job(number))
    waiting = asyncio.ensure_future(queue.room())
    verdict = queue.fail(await queue.take(), Fault("connect", "refused"), is_final=True)
    await asyncio.sleep(0)
    assert not waiting.done()
    assert [drained.target.key for drained in queue.drain(job(0, "a"))] == [51, 52]
    await asyncio.wait_for(waiting, 1)
    assert queue.put(job(53)) == verdict is not None
    assert len(queue.frontier) == 0


async def test_hosts_of_one_lane_are_asked_as_one():
    lanes = {"a": "192.0.2.1", "b": "192.0.2.1"}
    queue = Gate(Frontier(lambda lane: HostLimits(1, 0.0)), 10, lanes.__getitem__)
    queue.retry(job(1, "a"), 0.0)
    first = await queue.take()
    queue.put(job(2, "b"))
    queue.hold("b", 60.0)
    queue.set_delay("a", 60.0)
    queue.done(first)
    taker = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    assert not taker.done()
    assert [drained.target.key for drained in queue.drain(job(0, "b"))] == [2]
    queue.close()
    assert await taker is None
