"""Parts of rows that are lines or records one behind the other: JSONL, CSV and WARC, compressed or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from scraper import disk
from scraper.write.compressed import CompressedFile, Compression, open_compressed
from scraper.write.cull import Cull, records
from scraper.write.files import AppendFile


class LinesForm:
    """A `staged.PartForm`: a head, then the rows as they were staged."""

    def __init__(self, suffix: str, head: bytes = b"", compression: Compression | None = None, form: str = "") -> None:
        """`form`: "jsonl" or "csv", whose lines can be culled; of others every row stays."""
        self.suffix = suffix
        self._head = head
        self._compression: Compression | None = compression
        self._form = form

    def convert(self, staged: Path, target: Path) -> None:
        """Copy the rows behind the head."""
        with open(staged, "rb") as rows, self._writing(target, self._head) as file:
            while piece := rows.read(1 << 18):
                file.write([piece])

    def cull(self, part: Path, cull: Cull, target: Path) -> int | None:
        """Copy the lines that count."""
        if not self._form:
            return None
        with open_compressed(part, self._compression or "") as lines:
            stays = cull.decide(url for url, _ in records(self._form, lines))
        if all(stays):
            return None
        with open_compressed(part, self._compression or "") as lines, self._writing(target, b"") as file:
            for stay, (_, record) in zip(stays, records(self._form, lines), strict=True):
                if stay:
                    file.write([record])
        return sum(stays) - (self._form == "csv")

    @contextmanager
    def _writing(self, target: Path, head: bytes) -> Iterator[AppendFile]:
        """An empty file to write to, durable at the end."""
        file = (
            AppendFile(target, head)
            if self._compression is None
            else CompressedFile(target, head, compression=self._compression)
        )
        file.open()
        try:
            file.recover({})
            yield file
            file.commit()
        finally:
            file.close()


def copy_durably(source: BinaryIO | RawIOBase, target: Path) -> None:
    """Copy a stream to a file and force it to the disk."""
    with FileIO(target, "wb") as file:
        while piece := source.read(1 << 18):
            disk.write_all(file, piece)
        disk.sync(file)
