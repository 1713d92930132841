"""Runs of blocks."""

import pytest

from scraper.site.bank import Bank, blocks_for

BLOCKS = [b"a", b"bb", b"ccc"]


@pytest.mark.parametrize(
    ("start", "count", "run"),
    [
        (0, 0, b""),
        (0, 3, b"abbccc"),
        (1, 1, b"bb"),
        (2, 2, b"ccca"),
        (2, 7, b"cccabbcccabbccc"),
    ],
)
def test_a_run_goes_on_at_the_first_block_after_the_last(start: int, count: int, run: bytes) -> None:
    assert Bank(BLOCKS, longest_run=7).run(start, count) == run


@pytest.mark.parametrize(("size", "count"), [(100, 45), (10, 0), (5, 0), (13, 2)])
def test_blocks_fill_what_the_bare_page_leaves(size: int, count: int) -> None:
    assert blocks_for(size, bare_bytes=10, blocks=BLOCKS) == count
