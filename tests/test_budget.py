"""The byte budget: bounded, fair, and never locked."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from scraper.budget import ByteBudget


async def test_bytes_within_the_limit_are_given_at_once():
    budget = ByteBudget(100)
    page = budget.reserve()
    await page.grow(60)
    await page.grow(40)
    assert (budget.used, page.held) == (100, 100)


async def test_one_page_at_a_time_may_go_over():
    budget = ByteBudget(100)
    first, second = budget.reserve(), budget.reserve()
    await first.grow(90)
    await second.grow(50)  # over, and the only one
    waiting = asyncio.ensure_future(first.grow(20))
    await asyncio.sleep(0)
    assert budget.is_spent
    await second.grow(50)  # it may finish its page
    second.release()
    await asyncio.wait_for(waiting, 1)
    assert (budget.used, first.held) == (110, 110)


async def test_shrinking_to_the_row_lets_the_next_one_in():
    budget = ByteBudget(100)
    first, second, third = (budget.reserve() for _ in range(3))
    await first.grow(100)
    await second.grow(10)
    waiting = asyncio.ensure_future(third.grow(10))
    await asyncio.sleep(0)
    first.shrink_to(5)
    await asyncio.wait_for(waiting, 1)
    assert budget.used == 25


async def test_nobody_goes_over_while_a_later_stage_holds_bytes():
    waits = []
    budget = ByteBudget(100, lambda: waits.append(1))
    whole, reader, other = (budget.reserve() for _ in range(3))
    await whole.grow(90)
    whole.hand_on()
    waiting = asyncio.ensure_future(reader.grow(50))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert waits == [1]
    whole.shrink_to(60)  # its row
    await asyncio.sleep(0)
    assert not waiting.done()
    whole.release()
    await asyncio.wait_for(waiting, 1)
    assert (budget.used, budget.peak) == (50, 90)
    assert other.try_grow(50)


async def test_cancelled_waiter_holds_nothing_and_blocks_nobody():
    budget = ByteBudget(10)
    first, second, third, fourth = (budget.reserve() for _ in range(4))
    await first.grow(10)
    await second.grow(5)
    third_waits = asyncio.ensure_future(third.grow(5))
    fourth_waits = asyncio.ensure_future(fourth.grow(5))
    await asyncio.sleep(0)
    third_waits.cancel()
    await asyncio.gather(third_waits, return_exceptions=True)
    for page in (first, second, third):
        page.release()
    await asyncio.wait_for(fourth_waits, 1)
    assert (budget.used, third.held) == (5, 0)


@settings(max_examples=50, deadline=None)
@given(
    limit=st.integers(1, 50),
    pages=st.lists(st.lists(st.integers(1, 30), max_size=6), min_size=1, max_size=12),
)
def test_any_readers_finish_and_the_bound_is_the_limit_and_one_page(limit, pages):
    async def read(budget: ByteBudget, pieces: list[int]) -> None:
        page = budget.reserve()
        for piece in pieces:
            await page.grow(piece)
            await asyncio.sleep(0)
        page.hand_on()
        for left in (page.held // 2, 0):
            await asyncio.sleep(0)
            page.shrink_to(left)

    async def run() -> ByteBudget:
        budget = ByteBudget(limit)
        await asyncio.wait_for(asyncio.gather(*(read(budget, pieces) for pieces in pages)), 10)
        return budget

    budget = asyncio.run(run())
    assert budget.used == 0
    assert budget.peak <= limit + max(map(sum, pages))
