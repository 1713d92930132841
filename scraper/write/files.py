"""Output files that only grow, and can be cut back to their last commit. Used by the writer thread alone."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from scraper import disk
from scraper.errors import SinkError
from scraper.write.cull import Cull, records
from scraper.write.store import Rewritten

BATCH_BYTES = 256 * 1024


class AppendFile:
    """A file of encoded rows: a `store.FileStore`."""

    def __init__(self, path: Path, head: bytes = b"", name: str | None = None, form: str = "") -> None:
        """`head`: what a new file begins with (a CSV header), b"" for nothing. `name`: what the journal calls it.

        `form`: "jsonl" or "csv", whose lines can be culled; of others every line stays for good.
        """
        self.path = path
        self.name = name or path.name
        self.form = form
        self._head = head
        self._file: FileIO | None = None
        self._written = 0
        self._synced = 0
        self._is_rewritten = False

    def open(self) -> None:
        """Open for writing. Raises SinkError where the file cannot be written."""
        try:
            self._file = FileIO(self.path, "ab")  # unbuffered: after an error nothing half-written stays in memory
        except OSError as exc:
            raise SinkError(f"{self.path}: cannot be written: {exc.strerror}") from exc

    def is_empty(self) -> bool:
        """Nothing was written."""
        return not os.fstat(self._stream.fileno()).st_size

    def recover(self, files: Mapping[str, int], swapped: Collection[str] = ()) -> None:
        """Cut off what stands behind the committed bytes.

        Raises SinkError where the file is shorter than what was committed to it.
        """
        if self.name in swapped and self._new_path.exists():
            self._swap()
        if self._new_path.exists():
            disk.unlink(self._new_path)
        committed = files.get(self.name, 0)
        size = os.fstat(self._stream.fileno()).st_size
        if size < committed:
            raise SinkError(
                f"{self.path}: has {size} bytes, but {committed} were committed: it was changed by hand; "
                "put it back, or start over with --fresh"
            )
        if size > committed:
            disk.truncate(self._stream, committed)
        self._written = self._synced = committed

    @property
    def _stream(self) -> FileIO:
        if self._file is None:
            raise RuntimeError(f"{self.path} is not open")
        return self._file

    def write(self, rows: Sequence[bytes]) -> None:
        """Append rows. After an OSError an unknown part of them stands in the file, beyond the last commit."""
        data = b"".join(rows)
        if not self._written:
            data = self._head + data
        disk.write_all(self._stream, data)
        self._written += len(data)

    def commit(self) -> dict[str, int]:
        """Force all rows to the disk; gives the file's length in bytes."""
        if self._synced != self._written:
            disk.sync(self._stream)
            self._synced = self._written
        return {self.name: self._written}

    def finish(self) -> None:
        """A file without rows still has its head."""
        if not self._written and self._head:
            self.write([])

    def rewrite(self, cull: Cull) -> Rewritten:
        """Make the file anew without the lines that no longer count, beside the old one."""
        if not self.form:
            return Rewritten(self.commit())
        with self._lines() as lines:
            stays = cull.decide(url for url, _ in records(self.form, lines))
        new = self._sibling(self._new_path)
        try:
            new.open()
            new.recover({})
            with self._lines() as lines:
                pairs = zip(stays, records(self.form, lines), strict=True)
                for batch in _batched(record for stay, (_, record) in pairs if stay):
                    new.write(batch)
            (length,) = new.commit().values()
        finally:
            new.close()
        self._is_rewritten = True
        return Rewritten({self.name: length}, [self.name])

    def _lines(self) -> BinaryIO:
        """The lines of the file, for reading."""
        return open(self.path, "rb")

    def _sibling(self, path: Path) -> "AppendFile":
        """An empty file of the same kind."""
        return AppendFile(path, form=self.form)

    @property
    def _new_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.new")

    def settle(self) -> None:
        """Let a rewritten file take the old one's place."""
        if self._is_rewritten:
            self._swap()
            self._is_rewritten = False

    def _swap(self) -> None:
        self.close()
        disk.replace(self._new_path, self.path)
        disk.sync_folder(self.path.parent)
        self.open()
        self._written = self._synced = os.fstat(self._stream.fileno()).st_size

    def close(self) -> None:
        """Close without committing. May be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _batched(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The records in lists of about BATCH_BYTES."""
    batch, size = list[bytes](), 0
    for record in records:
        batch.append(record)
        size += len(record)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch
