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
_LENGTH = struct.Struct("<I")


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

    def write(self, text: str) -> None:
        """Say this until the next call; "" for nothing. What is too long is cut."""
        data = self._bytes_of(text)
        self._memory[_LENGTH.size : _LENGTH.size + len(data)] = data
        _LENGTH.pack_into(self._memory, 0, len(data))

    def says(self, text: str) -> bool:
        """Whether this was said last."""
        (size,) = _LENGTH.unpack_from(self._memory)
        return self._memory[_LENGTH.size : _LENGTH.size + size] == self._bytes_of(text)

    @property
    def is_silent(self) -> bool:
        """Nothing is said."""
        return self.says("")

    @staticmethod
    def _bytes_of(text: str) -> bytes:
        return text.encode("utf-8", "replace")[: SIZE - _LENGTH.size]

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
        self._cell.write(page.url)
        signal.setitimer(signal.ITIMER_REAL, self._timeout_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._cell.write("")
