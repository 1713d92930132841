"""The journal: which URLs are done, and how many bytes of each output file hold their rows. Knows no stage.

One text line a commit, appended after the rows it speaks of are on the disk:

    <crc32 of the rest, 8 hex digits> <JSON>\\n

The first line is the header (`JournalHeader`), every other one a `Session` or a `Commit`. A line that is cut, damaged
or without its line end was never committed: reading stops before it and the file is cut there. Keys are packed as 8
bytes each, little-endian, in base64: 11 bytes a URL, whatever the URL's length. Being append-only, a commit costs the
same after a million URLs as after ten. Rows that a crash left behind the last commit are undone by the caller.
"""

import re
import time
import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import FileIO
from os import fstat
from pathlib import Path
from typing import Any

import msgspec

from scraper import disk
from scraper.errors import SinkError
from scraper.records import Mark

FORMAT_VERSION = 2
LOOK_S = 0.02
"""`is_held` holds a journal for some microseconds."""

_OURS = re.compile(rb'[0-9a-f]{8} \{"journal":')
"""How every journal begins, whatever its version and whatever befell the rest of its first line."""
_BEGUN = re.compile(rb'[0-9a-f]{0,8}|[0-9a-f]{8} (\{("(j(o(u(r(n(a(l("(:.*)?)?)?)?)?)?)?)?)?)?)?', re.DOTALL)
"""What there is of it where the first line was cut while it was written."""


class JournalHeader(msgspec.Struct, frozen=True):
    """What the run behind this journal writes; a resume must agree with it."""

    journal: int
    """Format version of the file."""
    shape: dict[str, Any]
    """What a row holds, as plain JSON; compared key by key on resume."""
    created: str
    """RFC 3339, UTC."""
    run: str = ""
    """A name nobody else has: databases know by it whose rows they hold."""
    salt: int = 0
    """What the content hashes of this run begin with: nobody can make pages that share one."""


class Session(msgspec.Struct, frozen=True, tag="session", tag_field="record"):
    """A process took the journal up."""

    pid: int
    at: str
    """RFC 3339, UTC."""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the run was: what was read of the lists, and where the URLs were that had no outcome yet."""

    read: int = 0
    queued: int = 0
    in_flight: int = 0
    parsing: int = 0


class Commit(msgspec.Struct, frozen=True, omit_defaults=True, tag="commit", tag_field="record"):
    """One group of outcomes that became durable together."""

    number: int
    """1 for the first commit of the journal."""
    files: dict[str, int]
    """File name -> committed length in bytes, for every output file that changed."""
    outcomes: dict[str, str]
    """Outcome -> the keys that ended so since the last commit, packed."""
    marks: list[Mark] = []
    """One for each key of the outcome ok, in order; empty where none is kept."""
    again: dict[str, str] = {}
    """The same as outcomes for keys that had an outcome before, which this one replaces."""
    again_marks: list[Mark] = []
    gone: list[str] = []
    """Files that are no more."""
    swapped: list[str] = []
    """Files whose rewritten form takes the old one's place now."""
    compacted: bool = False
    """Behind this commit no file holds lines of replaced outcomes."""
    at: Position = Position()


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
    """The header of a journal; None for an empty file, and where the first line was cut: then nothing was committed.

    Raises SinkError for a journal that is damaged or of another version, and for a file that is none.
    """
    first = _first_line(path)
    if _BEGUN.fullmatch(first) and not first.endswith(b"\n"):
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


def last_session(path: Path) -> Session | None:
    """The last process that took a journal up, whoever holds it now; None where the file tells of none."""
    try:
        found = [record for record in read_records(path) if isinstance(record, Session)]
    except (OSError, SinkError):
        return None
    return found[-1] if found else None


def read_records(path: Path) -> Iterator[Session | Commit]:
    """Every valid record behind the header, without a lock: for looking at a journal that a run may be writing."""
    for number, (_, body) in enumerate(_sized(path)):
        if number:
            yield _decode(body)


def decode_commit(line: bytes) -> Commit:
    """The inverse of `encode_line` for a commit that was kept elsewhere. Raises SinkError for a damaged one."""
    body = next(valid_bodies([line]), None)
    record = None if body is None else _decode(body)
    if not isinstance(record, Commit):
        raise SinkError("the last commit in the database is damaged: start over with --fresh")
    return record


_decode = msgspec.json.Decoder(Session | Commit).decode


def _sized(path: Path) -> Iterator[tuple[int, bytes]]:
    """Each valid line as (length with all around it, JSON)."""
    with open(path, "rb") as lines:
        for body in valid_bodies(lines):
            yield len(body) + len("01234567 \n"), body


def _whole_behind(path: Path, start: int) -> int:
    """How many undamaged lines stand behind the damaged one at `start`: none where a crash has cut the last."""
    with open(path, "rb") as lines:
        lines.seek(start)
        lines.readline()
        return sum(next(valid_bodies([line]), None) is not None for line in lines)


def _first_line(path: Path) -> bytes:
    with open(path, "rb") as lines:
        return lines.readline()


def _refuse_foreign(path: Path, first: bytes) -> None:
    """Raise SinkError where a file's first bytes are those of no journal, whole or damaged."""
    if not _OURS.match(first) and not _BEGUN.fullmatch(first):
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
        self.lost = 0
        """Undamaged lines behind a damaged one, cut with it: no crash of ours leaves such, but a disk may."""
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
        disk.truncate(self._stream, 0)
        self._length = 0
        self.header = header
        self.append(encode_line(header))

    def commits(self) -> Iterator[Commit]:
        """All valid commits, oldest first; behind the last line the file is cut.

        Must be read to its end before the first `append`.
        """
        length = 0
        for number, (size, body) in enumerate(_sized(self.path)):
            length += size
            if number and isinstance(record := _decode(body), Commit):
                yield record
        self._length = length
        if length < fstat(self._stream.fileno()).st_size:
            self.lost = _whole_behind(self.path, length)
            disk.truncate(self._stream, length)

    def append(self, line: bytes) -> None:
        """Append a line of `encode_line` and force it to the disk. The rows it speaks of must be there already.

        After an error the file is cut back, so that half a line cannot hide the next one.
        """
        try:
            disk.write_all(self._stream, line)
            disk.sync(self._stream)
        except OSError:
            with suppress(OSError):  # reading stops before half a line anyhow
                disk.truncate(self._stream, self._length)
            raise
        self._length += len(line)

    def _look(self) -> None:
        self.is_new = not fstat(self._stream.fileno()).st_size
        if self._fresh:
            _refuse_foreign(self.path, _first_line(self.path))
        else:
            self.header = read_header(self.path)


def is_held(path: Path) -> bool | None:
    """Whether a run has the journal open now; None where the system cannot tell.

    To ask, the lock is taken and given up at once: `Journal` waits so long before it believes that it is refused.
    """
    try:
        import fcntl
    except ImportError:
        return None
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            return None
    return False


def _lock(file: FileIO, path: Path) -> None:
    """Take the file for this process alone. The lock ends with the process, however that dies."""
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl: two runs on one folder are not told apart there
        return
    for is_last_try in (False, True):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError as exc:
            if is_last_try:
                raise _in_use(path) from exc
            time.sleep(LOOK_S)  # somebody may only have looked
    if not fstat(file.fileno()).st_nlink:  # its maker was refused the folder and removed it in the meantime
        raise _in_use(path)


def _in_use(path: Path) -> SinkError:
    session = last_session(path)
    who = f"another run is writing here (process {session.pid})" if session else "another run is writing here"
    return SinkError(f"{path.parent}: {who}: wait for it, or choose another folder with -o")
