"""The journal: which URLs are done, and how many bytes of each output file hold their rows. Knows no stage.

One text line a commit, appended after the rows it speaks of are on the disk:

    <crc32 of the rest, 8 hex digits> <JSON>\\n

The first line is the header (`JournalHeader`), every other one a `Commit`. A line that is cut, damaged or without its
line end was never committed: reading stops before it and the file is cut there. Keys are packed as 8 bytes each,
little-endian, in base64: 11 bytes a URL, whatever the URL's length. Being append-only, a commit costs the same after a
million URLs as after ten. Rows that a crash left behind the last commit are cut off by the caller, to its offsets.
"""

import os
import re
import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import msgspec

from scraper.errors import SinkError

FORMAT_VERSION = 1

_OURS = re.compile(rb'[0-9a-f]{8} \{"journal":')
"""How every journal begins, whatever its version and whatever befell the rest of its first line."""


class JournalHeader(msgspec.Struct, frozen=True):
    """What the run behind this journal writes; a resume must agree with it."""

    journal: int
    """Format version of the file."""
    shape: dict[str, Any]
    """What a row holds, as plain JSON; compared key by key on resume."""
    created: str
    """RFC 3339, UTC."""


class Commit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One group of outcomes that became durable together."""

    files: dict[str, int]
    """File name -> committed length in bytes, for every output file."""
    outcomes: dict[str, str]
    """Outcome -> the keys that ended so since the last commit, packed."""


def pack_keys(keys: Iterable[int]) -> str:
    """Keys as text.

    >>> unpack_keys(pack_keys([1, 2**64 - 1])).tolist() == [1, 2**64 - 1]
    True
    """
    return b64encode(_little_endian(array("Q", keys)).tobytes()).decode("ascii")


def unpack_keys(text: str) -> "array[int]":
    """The inverse of `pack_keys`."""
    keys = array("Q")
    keys.frombytes(b64decode(text))
    return _little_endian(keys)


def _little_endian(keys: "array[int]") -> "array[int]":
    if array("H", [1]).tobytes() == b"\x00\x01":
        keys.byteswap()
    return keys


def encode_line(record: msgspec.Struct) -> bytes:
    """A record in the file's own form, line end included."""
    body = msgspec.json.encode(record)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def valid_bodies(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The JSON of each whole and undamaged line, up to the first that is not."""
    for line in lines:
        crc, _, body = line[:-1].partition(b" ")
        if not line.endswith(b"\n") or crc != b"%08x" % zlib.crc32(body):
            return
        yield body


def read_header(path: Path) -> JournalHeader | None:
    """The header of a journal, None for an empty file.

    Raises SinkError for a journal that is damaged or of another version, and for a file that is none.
    """
    first = _first_line(path)
    if not first:
        return None
    _refuse_foreign(path, first)
    body = next(valid_bodies([first]), None)
    if body is None:
        raise SinkError(f"{path}: its first line is damaged: choose another folder with -o, or start over with --fresh")
    version = msgspec.json.decode(body).get("journal")
    if version != FORMAT_VERSION:
        raise SinkError(
            f"{path}: written by another version (journal format {version}, this one reads "
            f"{FORMAT_VERSION}): use that version, or start over with --fresh"
        )
    return msgspec.json.decode(body, type=JournalHeader)


def _first_line(path: Path) -> bytes:
    with open(path, "rb") as lines:
        return lines.readline()


def _refuse_foreign(path: Path, first: bytes) -> None:
    """Raise SinkError where a file's first bytes are those of no journal, whole or damaged."""
    if first and not _OURS.match(first):
        raise SinkError(f"{path}: not a journal of this program: choose another output folder with -o")


class Journal:
    """An open journal file. Lock, read, then append; one owner at a time.

    Entering refuses (SinkError) a journal that another process holds, and what `read_header` refuses.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        """`path`: the file; created where it is missing. `fresh`: whatever it says, as long as it is a journal."""
        self.path = path
        self.header: JournalHeader | None = None
        self.is_new = False
        """The file was empty when it was locked."""
        self._fresh = fresh
        self._file: FileIO | None = None
        self._length = 0

    def __enter__(self) -> "Journal":
        """Open and lock the file, read the header."""
        self._file = FileIO(self.path, "a+")  # unbuffered: after an error nothing half-written stays behind in memory
        try:
            _lock(self._file, self.path)
            self._look()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file, which gives up the lock."""
        self._stream.close()

    @property
    def _stream(self) -> FileIO:
        if self._file is None:
            raise RuntimeError("the journal is not open")
        return self._file

    def start(self, header: JournalHeader) -> None:
        """Begin anew: nothing is done, and this is what the rows hold."""
        self._stream.truncate(0)
        self._length = 0
        self.header = header
        self._append(encode_line(header))

    def commits(self) -> Iterator[Commit]:
        """All valid commits, oldest first; behind the last of them the file is cut.

        Must be read to its end before the first `commit`.
        """
        length = 0
        with open(self.path, "rb") as lines:
            for number, body in enumerate(valid_bodies(lines)):
                length += len(body) + len("01234567 \n")
                if number:
                    yield msgspec.json.decode(body, type=Commit)
        self._length = length
        self._stream.truncate(length)

    def commit(self, commit: Commit) -> None:
        """Append a commit and force it to the disk. The rows it speaks of must be there already."""
        self._append(encode_line(commit))

    def _append(self, line: bytes) -> None:
        """Write one line; after an error the file is cut back, so that half a line cannot hide the next one."""
        left = memoryview(line)
        try:
            while left:  # an unbuffered write may take less than it was given
                left = left[self._stream.write(left) :]
            os.fsync(self._stream.fileno())
        except OSError:
            self._stream.truncate(self._length)
            raise
        self._length += len(line)

    def _look(self) -> None:
        self.is_new = not os.fstat(self._stream.fileno()).st_size
        if self._fresh:
            _refuse_foreign(self.path, _first_line(self.path))
        else:
            self.header = read_header(self.path)


def _lock(file: FileIO, path: Path) -> None:
    """Take the file for this process alone. The lock ends with the process, however that dies."""
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl: two runs on one folder are not told apart there
        return
    in_use = SinkError(f"{path.parent}: another run is writing here: wait for it, or choose another folder with -o")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        raise in_use from exc
    if not os.fstat(file.fileno()).st_nlink:  # its maker was refused the folder and removed it in the meantime
        raise in_use
