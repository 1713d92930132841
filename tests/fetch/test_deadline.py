"""A deadline cancels what is awaited, tells its own cancellation from others', and can be stopped for a while."""

import asyncio
import time

import pytest

from scraper.fetch.deadline import Deadline

SOON_S = 0.02


def stand_still() -> None:
    """What a page that is parsed on the loop does to it."""
    time.sleep(0.3)


async def test_a_wait_longer_than_the_deadline_ends_as_a_timeout() -> None:
    with pytest.raises(TimeoutError), Deadline(SOON_S):
        await asyncio.sleep(5)


async def test_a_wait_shorter_than_the_deadline_is_left_alone_and_leaves_no_timer() -> None:
    with Deadline(SOON_S):
        pass
    await asyncio.sleep(2 * SOON_S)


async def test_what_came_while_the_loop_stood_still_is_taken_up() -> None:
    came = asyncio.get_running_loop().create_future()
    with Deadline(SOON_S):
        asyncio.get_running_loop().call_later(SOON_S / 2, came.set_result, "an answer")
        stand_still()
        assert await came == "an answer"
        await asyncio.sleep(SOON_S)


async def test_what_does_not_come_after_the_loop_stood_still_ends_as_a_timeout() -> None:
    async def waits() -> None:
        stand_still()
        await asyncio.sleep(5)

    started = time.monotonic()
    with pytest.raises(TimeoutError), Deadline(SOON_S):
        await waits()
    assert time.monotonic() - started < 3


async def test_a_deadline_that_is_past_ends_the_first_wait() -> None:
    with pytest.raises(TimeoutError), Deadline(-1):
        await asyncio.sleep(5)


async def test_a_cancellation_from_outside_stays_one() -> None:
    async def waits() -> None:
        with Deadline(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_from_outside_at_the_same_moment_wins() -> None:
    async def waits() -> None:
        with Deadline(0):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                task.cancel()
                raise

    task = asyncio.create_task(waits())
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_inner_of_two_deadlines_does_not_end_the_outer_one() -> None:
    with Deadline(5):
        with pytest.raises(TimeoutError), Deadline(SOON_S):
            await asyncio.sleep(5)
        await asyncio.sleep(0)


async def test_a_pause_does_not_count() -> None:
    with Deadline(SOON_S) as deadline:
        left_s = deadline.pause()
        await asyncio.sleep(2 * SOON_S)
        deadline.resume(left_s)
    assert 0 < left_s <= SOON_S


async def test_after_a_pause_what_was_left_counts_again() -> None:
    deadline = Deadline(SOON_S)
    deadline.resume(deadline.pause())
    with pytest.raises(TimeoutError), deadline:
        await asyncio.sleep(5)


async def test_an_error_of_the_block_passes_through() -> None:
    with pytest.raises(KeyError), Deadline(5):
        raise KeyError
