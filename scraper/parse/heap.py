"""What the allocator of a process that parses does with the memory of the last page."""

import sys

KEPT_BYTES = 64 * 1024 * 1024
"""A tree takes some ten to thirty times its page: those of nearly all pages fit."""
MAPPED_BYTES = 32 * 1024 * 1024
"""The most that glibc takes for it."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed() -> None:
    """Keep freed memory for the next page, where the C library is glibc.

    By itself it gives the end of the heap back to the system with each tree, and has it mapped and cleared anew for
    the next one: 0.2 ms for a page of 30 KB, as much as half of its parsing.
    """
    if sys.platform != "linux":
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)
