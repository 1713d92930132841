"""Which page a process has in parse, told through memory it shares with the run: readable when it has died."""

import mmap
import os
import signal
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from scraper.records import Page

SIZE = 4096
_HEAD = struct.Struct("<IH")
"""The length of what is said, and a status."""


class Cell:
    """A page of memory behind a file descriptor; one process writes, another reads."""

    def __init__(self, fd: int | None = None) -> None:
        """`fd`: that of the other side's cell; None makes a new one."""
        if fd is None:
            with tempfile.TemporaryFile() as file:
                fd = os.dup(file.fileno())
            os.ftruncate(fd, SIZE)
        self.fd = fd
        self._memory = mmap.mmap(fd, SIZE)

    def write(self, text: str, status: int = 0) -> None:
        """Say this until the next call; "" for nothing. What is too long is cut."""
        data = self._bytes_of(text)
        self._memory[_HEAD.size : _HEAD.size + len(data)] = data
        _HEAD.pack_into(self._memory, 0, len(data), status)

    def says(self, text: str) -> bool:
        """Whether this was said last."""
        size, _ = _HEAD.unpack_from(self._memory)
        return self._memory[_HEAD.size : _HEAD.size + size] == self._bytes_of(text)

    @property
    def status(self) -> int | None:
        """The status that was said with it; None where there was none."""
        _, status = _HEAD.unpack_from(self._memory)
        return status or None

    @property
    def is_silent(self) -> bool:
        """Nothing is said."""
        return self.says("")

    @staticmethod
    def _bytes_of(text: str) -> bytes:
        return text.encode("utf-8", "replace")[: SIZE - _HEAD.size]

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.fd)


class TellingClock:
    """`inline.PageClock` of a process that dies where a page takes too long, and has told which."""

    def __init__(self, cell: Cell, timeout_s: float) -> None:
        """`timeout_s`: for each page."""
        self._cell = cell
        self._timeout_s = timeout_s

    def arm(self) -> None:
        """SIGALRM ends a process that has no handler for it."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def disarm(self) -> None:
        """Nothing runs any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def running(self, page: Page) -> Iterator[None]:
        """Tell the page, and let its time run."""
        self._cell.write(page.url, page.status)
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._cell.write("")
