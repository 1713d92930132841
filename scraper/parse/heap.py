"""What the allocator of a process that parses does with a page's memory: kept for the next, but for large ones."""

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctypes import CDLL

KEPT_BYTES = 16 * 1024 * 1024
"""A tree takes some ten to thirty times its page: those of nearly all pages fit."""
MAPPED_BYTES = 2 * 1024 * 1024
"""What is larger never lies on the heap, and goes back to the system as soon as it is freed."""
LARGE_BYTES = 2 * 1024 * 1024
"""Few pages are as large, and parsing them takes a hundred times as long as giving their memory back."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed() -> None:
    """Keep freed memory for the next page, where the C library is glibc.

    By itself it gives the end of the heap back to the system with each tree, and has it mapped and cleared anew for
    the next one: 0.2 ms for a page of 30 KB, as much as half of its parsing.
    """
    libc = _libc()
    if libc is not None:
        libc.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)


def give_back() -> None:
    """Give all freed memory back to the system, also from between what is still in use: behind a large page."""
    libc = _libc()
    if libc is not None:
        libc.malloc_trim(0)


@cache
def _libc() -> "CDLL | None":
    """The C library, None where it has no such calls."""
    if sys.platform != "linux":
        return None
    import ctypes

    try:
        libc = ctypes.CDLL(None)
        return libc if libc.mallopt and libc.malloc_trim else None
    except (OSError, AttributeError):  # another C library than glibc
        return None
