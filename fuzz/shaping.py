"""What the harnesses share: reading a fuzzer's bytes as a shape, and the bound on time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_BYTES = 16 * 1024
"""What a repeated input grows to: enough for a quadratic step to be seen, little enough for many a second."""
BOUND_S = 1.0
"""CPU time for one input of `MOST_BYTES`. What is linear takes some ms; the fuzzer's counting makes that tenfold."""

_REPEATED = 255


@contextmanager
def bounded() -> Iterator[None]:
    """Raises AssertionError where the block took more CPU time than any input of this size may."""
    started = time.process_time()
    yield
    took_s = time.process_time() - started
    assert took_s < BOUND_S, f"{took_s:.1f} s for one input"


def grown(data: bytes) -> bytes:
    """The input less its first byte; where that is 255, repeated: only much of a thing shows what is slow.

    >>> grown(b"\\x00ab"), len(grown(b"\\xffab"))
    (b'ab', 16384)
    """
    unit = data[1:]
    if not unit or data[0] != _REPEATED:
        return unit
    return unit * (MOST_BYTES // len(unit))


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of a size, as a network or a disk may give it.

    >>> cut(b"abcde", 2)
    [b'ab', b'cd', b'e']
    """
    return [data[at : at + size] for at in range(0, len(data), size)]
