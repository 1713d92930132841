"""WARC files (ISO 28500) read one record at a time, in bounded memory. Shared by the sources and the fetch stage.

    open_record(file) ─► Record: its named fields, then its block by `read` and `read_line`, then `finish`

Why not warcio: it reads header lines of any length, takes a gzip member that is cut or damaged for the end of the
file, and says so on stderr at most; here such a record is an ArchiveError. What is written is checked with warcio.
"""

import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

MAX_HEAD_BYTES = 1 << 20
"""Of a record's own head or of the HTTP head in it: far more than any client takes, and room for the longest URL."""
READ_BYTES = 16 * 1024
MAGIC_BYTES = 8
MOST_PADDING = 1 << 20
MAX_LENGTH_DIGITS = 18

_FIRST_LINE = re.compile(rb"WARC/\d+\.\d+\s*")
_GZIP_MAGIC = b"\x1f\x8b"
_FOREIGN = {
    b"filedesc": "an ARC file: convert it with: warcio recompress FILE NEW.warc.gz",
    b"\x28\xb5\x2f\xfd": "packed with zstd: unpack it first: zstd -d FILE",
    b"PK\x03\x04": "a ZIP or WACZ package: unpack it, and give the files in its folder archive",
}

Fields = list[tuple[str, str]]
"""(name in lower case, value) in order."""


INPUT_FIELD = "scraper-input"
"""The field of our own metadata records: an ArchivedInput as JSON."""


class ArchivedInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """The record of a list that a reply was fetched for."""

    url: str
    """As written."""
    extra: Mapping[str, Any] | None = None
    """The other columns."""


class ArchiveError(Exception):
    """The bytes are no whole record. The text says what is wrong, without the file's name."""


class ForeignError(ArchiveError):
    """The file is no WARC file, or one whose records cannot be reached."""


class CutError(ArchiveError):
    """The file ends inside a record."""


class LengthError(ArchiveError):
    """More than the announced bytes are there; the file stands behind the record all the same."""


class _Member(io.RawIOBase):
    """One gzip member as a stream of its plain bytes. Raises ArchiveError where it is cut or damaged."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(wbits=31)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # the only kind a BufferedReader gives
        while not self._inflate.eof:
            data = self._inflate.unconsumed_tail or self._file.read(READ_BYTES)
            try:
                piece = self._inflate.decompress(data, len(buffer))
            except zlib.error as exc:
                raise ArchiveError(f"the gzip data is damaged: {exc}") from exc
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            if not data:
                raise CutError("the file is cut: its gzip data ends too early")
        return 0

    def step_back(self) -> None:
        """Let the file stand behind the member, which was read to its end."""
        self._file.seek(-len(self._inflate.unused_data), io.SEEK_CUR)


class Record:
    """One record, its named fields read. Its block is read once, forwards; nobody else uses the file meanwhile."""

    def __init__(self, file: BinaryIO, offset: int, member: _Member | None) -> None:
        """Read the named fields. `file` stands where the record begins; `member`: of a gzipped file. ArchiveError."""
        self.offset = offset
        self._file = file
        self._member = member
        self._stream: BinaryIO = io.BufferedReader(member, READ_BYTES) if member else file
        if not _FIRST_LINE.fullmatch(line := self._stream.readline(READ_BYTES)):
            raise _foreign(line) if offset == 0 else ArchiveError(f"no WARC record begins here but {line[:40]!r}")
        self.fields = parse_fields(head_lines(self._stream.readline))
        self.length = _length(self.get("content-length"))
        self.left = self.length
        """Bytes of the block that were not read yet."""

    def get(self, name: str) -> str:
        """The first field of a name in lower case, "" where there is none."""
        return next((value for key, value in self.fields if key == name), "")

    @property
    def uri(self) -> str:
        """The target URI; WARC 1.0 has it in angle brackets."""
        return self.get("warc-target-uri").removeprefix("<").removesuffix(">")

    def read(self, most: int) -> bytes:
        """The next bytes of the block, `most` at most and none only at its end. Raises ArchiveError where it is cut."""
        data = self._stream.read(min(most, self.left))
        return self._taken(data)

    def read_line(self, most: int) -> bytes:
        """The next line of the block, or so many bytes of it; b"" at the end. Raises ArchiveError where it is cut."""
        return self._taken(self._stream.readline(min(most, self.left)))

    def _taken(self, data: bytes) -> bytes:
        if self.left and not data:
            raise CutError(f"the record is cut: {self.left:,} of its {self.length:,} bytes are missing")
        self.left -= len(data)
        return data

    def finish(self) -> Iterator[None]:
        """Skip what is left, and let the file stand behind the record; yields now and then, for this may take long.

        Raises ArchiveError where the record is cut, or another length than its own is to be seen.
        """
        if self._member is None:
            self._skip_plain()
            return
        while self.left:
            self.read(READ_BYTES)
            yield
        rest = self._stream.read(READ_BYTES)
        while self._stream.read(READ_BYTES):
            yield
        self._member.step_back()
        if rest.strip(b"\r\n"):
            raise _surplus(rest)

    def _skip_plain(self) -> None:
        end = self._file.tell() + self.left
        if self._file.seek(0, io.SEEK_END) < end:
            raise CutError(f"the file is cut inside a record of {self.length:,} bytes")
        self._file.seek(end)
        self.left = 0
        behind = self._file.read(4)
        self._file.seek(end)
        if behind.strip(b"\r\n") and behind != b"WARC":
            raise LengthError("the record is not as long as its Content-Length says")


def open_record(file: BinaryIO) -> Record | None:
    """The record that begins where the file stands; None at its end. Line ends and zero bytes before it are skipped.

    Raises ArchiveError where there is another thing than a record.
    """
    magic = _skip_padding(file)
    if not magic:
        return None
    offset = file.tell()
    for head, what in _FOREIGN.items():
        if magic.startswith(head):
            raise ForeignError(f"is {what}")
    return Record(file, offset, _Member(file) if magic.startswith(_GZIP_MAGIC) else None)


def _skip_padding(file: BinaryIO) -> bytes:
    """The first bytes behind line ends and zero bytes, which some tools put between records; the file stands there."""
    for _ in range(MOST_PADDING // READ_BYTES):
        start = file.tell()
        data = file.read(READ_BYTES)
        padding = len(data) - len(data.lstrip(b"\r\n\0"))
        file.seek(start + padding)
        if not data:
            return b""
        if padding < len(data):
            head = file.read(MAGIC_BYTES)
            file.seek(start + padding)
            return head
    raise ArchiveError(f"no record in {MOST_PADDING:,} bytes")


def head_lines(read_line: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines of a head up to its blank line. Raises ArchiveError for more than MAX_HEAD_BYTES, or no blank line."""
    left = MAX_HEAD_BYTES
    while line := read_line(left):
        left -= len(line)
        if not line.rstrip(b"\r\n"):
            return
        if left <= 0:
            raise ArchiveError(f"a head of more than {MAX_HEAD_BYTES:,} bytes")
        yield line
    raise ArchiveError("a head without the blank line at its end")


def parse_fields(lines: Iterator[bytes]) -> Fields:
    """Named fields: a line that begins with white space goes on with the one before; one without a colon is left out.

    >>> parse_fields(iter([b"A: b\\r\\n", b"  c\\r\\n", b"odd\\r\\n"]))
    [('a', 'b c')]
    """
    fields: list[tuple[str, list[str]]] = []
    for line in lines:
        text = line.decode("utf-8", "replace")
        name, colon, value = text.partition(":")
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(text.strip())
        elif colon:
            fields.append((name.strip().lower(), [value.strip()]))
    return [(name, " ".join(parts)) for name, parts in fields]


def _foreign(line: bytes) -> ForeignError:
    return ForeignError(f"is no WARC file: it begins with {line[:40]!r}")


def _length(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > MAX_LENGTH_DIGITS:
        raise ArchiveError(f"the record's Content-Length is {text[:40]!r}, expected a number of bytes")
    return int(text)


def _surplus(rest: bytes) -> ArchiveError:
    if _FIRST_LINE.match(rest.lstrip(b"\r\n")):
        return ForeignError(
            "is gzipped in one piece, so no record can be found again: convert it with: warcio recompress FILE NEW"
        )
    return LengthError("the record is longer than its Content-Length says")
