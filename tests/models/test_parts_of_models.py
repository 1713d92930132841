"""The small parts that models are made of."""

import asyncio
import socket
import threading

import pytest

from scraper.budget import ByteBudget
from scraper.errors import PageOverdueError
from scraper.fetch.blocking import complete
from scraper.models.cell import SIZE, Cell
from scraper.models.crew import Crew
from scraper.models.frames import FrameReader, frame, receive
from scraper.models.inline import Alarm
from scraper.models.lent import AHEAD, Lent, LentToThread
from scraper.models.sharded import _Shard
from scraper.models.shards import shard_of, sites_of
from scraper.records import Page

PAGE = Page("http://a.example/", "http://a.example/", 200, "text/html", b"", 0.0)


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_records_are_read_however_the_stream_is_cut(step):
    records = [None, {"a": 1}, b"x" * 500]
    data, reader = b"".join(map(frame, records)), FrameReader()
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    assert [record for piece in pieces for record in reader.feed(piece)] == records


def test_stream_that_ends_in_mid_record_is_an_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(frame("whole") + frame("cut")[:-1])
        theirs.shutdown(socket.SHUT_WR)
        assert receive(ours) == "whole"
        with pytest.raises(EOFError):
            receive(ours)


def test_cell_says_what_was_written_last_and_compares_what_it_could_hold():
    cell = Cell()
    assert cell.is_silent
    cell.write("http://a.example/1")
    assert (cell.says("http://a.example/1"), cell.says("http://a.example/10")) == (True, False)
    cell.write("http://a.example/1", 203)
    assert (cell.says("http://a.example/1"), cell.status) == (True, 203)
    cell.write("x" * 2 * SIZE)
    assert cell.says("x" * 2 * SIZE)
    cell.write("")
    assert cell.is_silent
    cell.close()


def test_small_page_asks_for_nothing_and_a_large_one_once_for_what_is_missing():
    asked = []
    lent = Lent(asked.append)
    assert lent.try_grow(AHEAD)
    assert not lent.try_grow(1)
    complete(lent.grow(3 * AHEAD))
    assert (asked, lent.held) == ([3 * AHEAD], 4 * AHEAD)


async def test_thread_waits_for_bytes_until_the_loop_has_them():
    budget = ByteBudget(3 * AHEAD)
    other, mine = budget.reserve(), budget.reserve()
    await other.grow(AHEAD)
    other.hand_on()  # a later stage holds it: nobody may go over
    lent = LentToThread(mine, asyncio.get_running_loop())
    await lent.lend()
    growing = asyncio.create_task(asyncio.to_thread(lambda: complete(lent.grow(3 * AHEAD))))
    await asyncio.sleep(0.05)
    assert not growing.done()
    other.release()
    await growing
    lent.settle()
    assert 3 * AHEAD < mine.held < 4 * AHEAD


class Sent:
    """What a shard was sent."""

    def __init__(self) -> None:
        self.records: list[object] = []

    def send(self, record: object) -> None:
        self.records.append(record)


async def test_bytes_of_a_shard_that_died_are_not_set_free_in_the_next_one():
    shard = _Shard(0)
    old, late = shard.hold(1, 500), shard.hold(2, 500)
    old.release()
    shard.begin_anew()
    late.release()  # its row became durable before the next process was there
    shard.link = Sent()
    shard.hold(1, 700).release()
    await asyncio.sleep(0)
    assert [record.numbers for record in shard.link.records] == [[1]]


async def test_stuck_thread_is_given_up_and_what_it_brings_later_is_dropped():
    results, late = [], threading.Event()

    def work(hand, item):
        hand.parse_begins()
        if item == "stuck":
            late.wait(5)
        return f"{item} done"

    crew = Crew("crew", 1, work, results.extend, lambda item: f"{item} given up", 0.1)
    crew.start()
    for item in ("stuck", "next"):
        crew.put(item)
    async with asyncio.timeout(5):
        while len(results) < 2:  # noqa: ASYNC110 - a plain list, as the crew's owner has it
            await asyncio.sleep(0.01)
    late.set()
    await asyncio.sleep(0.05)
    crew.end()
    assert results == [("stuck", "stuck given up"), ("next", "next done")]


def spin(alarm):
    with alarm.running(PAGE):
        while True:
            pass


def test_alarm_ends_python_code_and_leaves_what_is_in_time():
    alarm = Alarm(0.05)
    alarm.arm()
    try:
        with alarm.running(PAGE):
            pass
        with pytest.raises(PageOverdueError):
            spin(alarm)
    finally:
        alarm.disarm()


def test_hosts_spread_over_the_shards():
    counts = [0] * 4
    for number in range(1000):
        counts[shard_of(f"host{number}.example", 4)] += 1
    assert min(counts) > 150


def test_hosts_that_may_share_cookies_share_a_shard():
    site_of = sites_of(shares_cookies=True)
    assert len({shard_of(site_of(f"host{number}.shop.co.uk"), 64) for number in range(100)}) == 1
    assert len({shard_of(site_of(f"shop{number}.co.uk"), 64) for number in range(100)}) > 30


def test_hosts_without_cookies_go_their_own_ways():
    site_of = sites_of(shares_cookies=False)
    assert len({shard_of(site_of(f"host{number}.shop.co.uk"), 64) for number in range(100)}) > 30
