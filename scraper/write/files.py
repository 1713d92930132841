"""Output files that only grow, and can be cut back to their last commit. Used by the writer thread alone."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from scraper.errors import SinkError


class AppendFile:
    """A file of encoded rows. `open`, then `write` and `commit` in turn, then `close`."""

    def __init__(self, path: Path, head: bytes = b"") -> None:
        """`head`: what a new file begins with (a CSV header), b"" for nothing."""
        self.path = path
        self.name = path.name
        self._head = head
        self._file: BinaryIO | None = None
        self._written = 0
        self._synced = 0

    def open(self, committed: int) -> None:
        """Open for writing behind the first `committed` bytes; what stands there beyond them is cut off.

        Raises SinkError where the file cannot be written, or is shorter than what was committed to it.
        """
        try:
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as exc:
            raise SinkError(f"{self.path}: cannot be written: {exc.strerror}") from exc
        self._cut(committed)
        if not committed and self._head:
            self.write([self._head])

    def _cut(self, committed: int) -> None:
        size = os.fstat(self._stream.fileno()).st_size
        if size < committed:
            raise SinkError(
                f"{self.path}: has {size} bytes, but {committed} were committed: it was changed by hand; "
                "put it back, or start over with --fresh"
            )
        self._stream.truncate(committed)
        self._written = self._synced = committed

    @property
    def _stream(self) -> BinaryIO:
        if self._file is None:
            raise RuntimeError(f"{self.path} is not open")
        return self._file

    def write(self, rows: Sequence[bytes]) -> None:
        """Append rows. After an OSError an unknown part of them stands in the file, beyond the last commit."""
        data = memoryview(b"".join(rows))
        while data:  # an unbuffered write may take less than it was given
            written = self._stream.write(data)
            self._written += written
            data = data[written:]

    def commit(self) -> int:
        """Force all rows to the disk; gives the file's length in bytes."""
        if self._synced != self._written:
            os.fsync(self._stream.fileno())
            self._synced = self._written
        return self._written

    def close(self) -> None:
        """Close without committing. May be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
