"""A bank of ready HTML blocks that fill pages up to a wanted size at the cost of one copy."""

from collections.abc import Sequence
from itertools import accumulate, cycle, islice


class Bank:
    """Blocks laid end to end once; a page takes a run of neighbours, starting anywhere.

    Rendering its own reviews or paragraphs would cost a page of 40 KiB ten times as much as serving it.
    """

    def __init__(self, blocks: Sequence[bytes], longest_run: int) -> None:
        """`longest_run`: the most blocks that `run` will be asked for; may be more than there are."""
        self._count = len(blocks)
        laid = list(islice(cycle(blocks), self._count + longest_run))
        self._text = b"".join(laid)
        self._ends = [0, *accumulate(len(block) for block in laid)]

    def __len__(self) -> int:
        """The number of different blocks."""
        return self._count

    def run(self, start: int, count: int) -> bytes:
        """`count` blocks from block `start`, 0 <= start < len(bank); after the last comes the first."""
        return self._text[self._ends[start] : self._ends[start + count]]


def blocks_for(size_bytes: int, bare_bytes: int, blocks: Sequence[bytes]) -> int:
    """How many blocks of middle length bring a bare page to about `size_bytes`; 0 where it is as long already."""
    middle = sum(map(len, blocks)) / len(blocks)
    return max(0, round((size_bytes - bare_bytes) / middle))
