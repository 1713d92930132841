"""Time spent waiting for memory is ours: it does not count against the server, wherever in the body it falls."""

import asyncio
from typing import Any

import pytest

from scraper.records import Page
from tests.hostile.answers import head

TIMEOUT_S = 0.6


class FullOnce:
    """A budget that has no room for one piece, for longer than a try may take."""

    def __init__(self, piece: int) -> None:
        self._pieces = 0
        self._full_at = piece

    def try_grow(self, n: int) -> bool:
        self._pieces += 1
        return self._pieces != self._full_at

    async def grow(self, n: int) -> None:
        await asyncio.sleep(1.5 * TIMEOUT_S)


@pytest.mark.parametrize("piece", [1, 3])
async def test_waiting_for_memory_longer_than_the_timeout_costs_no_page(
    loop_wire: str, piece: int, serve: Any, make_client: Any, job_for: Any
) -> None:
    server = await serve(head() + bytes(3_000_000))
    client = await make_client(transport=loop_wire, timeout=TIMEOUT_S)
    assert isinstance(await client.fetch(job_for(server.url), FullOnce(piece)), Page)
