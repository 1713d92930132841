"""Row files that are compressed as they grow: each commit ends a gzip member or a zstd frame. The writer's thread only.

Both formats say that one file may be several, one behind the other (RFC 1952 section 2.2, RFC 8878 section 3.1), and
every reader takes them for one stream. So a committed length is always a border at which a resume can cut.
"""

import gzip
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

from scraper import disk
from scraper.write.files import AppendFile

Compression = Literal["gz", "zst"]

_GZIP_LEVEL = 3
_ZSTD_LEVEL = 3
"""Rows of 251 real pages: gzip 3 makes 23 % of them at 80 MB/s (6: 21 % at 37), zstd 3 17 % at 180 (6: 16 % at 69)."""
_GZIP_WINDOW = 31
"""zlib's word for a window of 32 KiB and a gzip head around it."""


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class CompressedFile(AppendFile):
    """A compressed file of encoded rows: a `store.FileStore`."""

    def __init__(
        self, path: Path, head: bytes = b"", name: str | None = None, form: str = "", *, compression: Compression
    ) -> None:
        """As `AppendFile`; `head` is written before the first row, inside the first member."""
        super().__init__(path, head, name, form)
        self._compression = compression
        self._member: _Compressor | None = None

    def write(self, rows: Sequence[bytes]) -> None:
        """Compress rows; what that gives by now is appended."""
        data = b"".join(rows)
        if self._member is None:
            self._member = _compressor(self._compression)
            if not self._written:
                data = self._head + data
        self._append(self._member.compress(data))

    def commit(self) -> dict[str, int]:
        """End the member, if one is begun, and force it to the disk."""
        if self._member is not None:
            member, self._member = self._member, None
            self._append(member.flush())
        return super().commit()

    def finish(self) -> None:
        """A file without rows is still one that can be read: an empty file is no gzip."""
        if not self._written:
            self.write([])

    def close(self) -> None:
        """Close without committing. May be called twice."""
        self._member = None
        super().close()

    def _append(self, data: bytes) -> None:
        disk.write_all(self._stream, data)
        self._written += len(data)

    def _lines(self) -> BinaryIO:
        return open_compressed(self.path, self._compression)

    def _sibling(self, path: Path) -> "CompressedFile":
        return CompressedFile(path, form=self.form, compression=self._compression)


def open_compressed(path: Path, compression: str) -> BinaryIO:
    """The plain bytes of a file, for reading; `compression`: "gz", "zst" or "" for none."""
    if not path.stat().st_size:  # begun, and nothing written
        return BytesIO()
    if compression == "gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if compression == "zst":
        from backports import zstd  # as in scraper.coding

        return cast(BinaryIO, zstd.open(path, "rb"))
    return open(path, "rb")


def _compressor(compression: Compression) -> _Compressor:
    if compression == "gz":
        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    from backports import zstd

    return cast(_Compressor, zstd.ZstdCompressor(level=_ZSTD_LEVEL))
