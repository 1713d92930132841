"""The output folder of a run: its files, its journal, and the writer that fills them.

pages.*                    rows, in each form the run writes (scraper/places.py); or elsewhere, as write.path says
failures.jsonl             one line for each URL that gave no row
summary.json               the balance, written when a session ends
telemetry.json             how the last sessions went
journal                    what is done; with it the same command resumes
bodies/                    plain bodies, where fetch.keep_bodies is on
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from scraper import disk
from scraper.config import DATABASES
from scraper.errors import ScraperError, SinkError, WriteError
from scraper.journal import (
    FORMAT_VERSION,
    Commit,
    Journal,
    JournalHeader,
    Position,
    Session,
    decode_commit,
    encode_line,
    read_header,
    read_records,
)
from scraper.outputs import Outputs
from scraper.places import NAMES, Place, holds_rows, remove_rows
from scraper.resume import MADE_BY, Done, refuse_other_shape
from scraper.rowform import RowForm
from scraper.stores import StoreOptions, Stores, make_stores
from scraper.telemetryfile import with_session
from scraper.write.bodies import BodyFolder, remove_bodies, remove_parts
from scraper.write.files import AppendFile
from scraper.write.store import Database
from scraper.write.writer import Entry, Writer

JOURNAL = "journal"
FAILURES = "failures.jsonl"
SUMMARY = "summary.json"
TELEMETRY = "telemetry.json"
OWN = (
    *NAMES.values(),
    *(f"{name}.rows" for name in NAMES.values()),
    FAILURES,
    SUMMARY,
    f"{SUMMARY}.part",
    TELEMETRY,
    f"{TELEMETRY}.part",
    JOURNAL,
)
"""The names a run writes to. Whatever else is in the folder is somebody's and left alone."""


class OutputFolder:
    """One session's hold on an output folder. Use as a context manager; two sessions at once are refused.

    Entering raises SinkError where the folder cannot be written, is in use, or holds rows of another form.
    """

    def __init__(
        self,
        path: Path,
        form: RowForm,
        places: Sequence[Place],
        options: StoreOptions,
        *,
        fresh: bool,
        keep_bodies: int = 0,
        pid: int | None = None,
    ) -> None:
        """`places`: where each format of the form goes. `options`: of the stores; their columns come from the form.

        `fresh`: forget what the folder holds and start over. `keep_bodies`: of so many bytes at most, 0 = none.
        `pid`: of the process that a user is told of, None = this one.
        """
        self.path = path
        self.form = form
        self._places = places
        self._options = options
        self._fresh = fresh
        self._stores = Stores({}, {})
        self._failures = AppendFile(path / FAILURES, form="jsonl")
        self._journal = Journal(path / JOURNAL, fresh=fresh)
        self._exits = ExitStack()
        self._keep_bodies = keep_bodies
        self._pid = pid or os.getpid()
        self.keeper: BodyFolder | None = None
        self.done = Done()

    def __enter__(self) -> "OutputFolder":
        """Lock the folder, read what is done, bring the stores back to it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with ExitStack() as exits:
                exits.enter_context(self._journal)
                exits.callback(self._close_stores)
                with self._nothing_left_if_refused():
                    self._begin()
                self._exits = exits.pop_all()
        except (FileExistsError, NotADirectoryError) as exc:
            raise SinkError(f"{exc.filename}: is a file; the output must be a folder: choose another with -o") from exc
        except OSError as exc:
            raise SinkError(f"{exc.filename or self.path}: cannot be written: {exc.strerror}") from exc
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the stores and give up the lock."""
        self._exits.close()

    @property
    def salt(self) -> int:
        """What the content hashes of this run begin with."""
        return self._header.salt

    @property
    def notes(self) -> list[str]:
        """What a user should know of the state in which the folder was."""
        lost, path = self._journal.lost, self._journal.path
        told = f"{path} was damaged in its midst: what the {lost} lines behind that told is done again"
        return [f"{told}; look after the disk"] if lost else []

    def commits(self) -> Iterator[Commit]:
        """What earlier sessions have made durable, oldest first."""
        return (record for record in read_records(self._journal.path) if isinstance(record, Commit))

    @property
    def _header(self) -> JournalHeader:
        if self._journal.header is None:
            raise RuntimeError("the folder is not open")
        return self._journal.header

    @contextmanager
    def _nothing_left_if_refused(self) -> Iterator[None]:
        """Remove what was made for a folder that is then refused, while it is locked."""
        before = {path for path in self._ours() if path.exists()}
        try:
            yield
        except BaseException:
            if self._journal.is_new:
                self._close_stores()
                with suppress(OSError):  # the disk that failed fails here too: the journal stays, and tells of nothing
                    for path in self._ours():
                        if path not in before:
                            remove_rows(path)
                    disk.unlink(self._journal.path)
            raise

    def _ours(self) -> list[Path]:
        """All files and folders for rows and failures that a run of any format has."""
        return [*self._own_paths(), *(self.path / name for name in (*NAMES.values(), FAILURES))]

    def _close_stores(self) -> None:
        for store in (*self._stores.all(), self._failures):
            store.close()

    def writer(
        self,
        on_commit: Callable[[list[Entry]], None],
        on_error: Callable[[ScraperError], None],
        position: Callable[[], Position],
        *,
        commit_every_s: float,
        commit_bytes: int,
    ) -> Writer:
        """The writer of this session; to be entered and left by the caller. `position`: how far the run is."""
        outputs = Outputs(
            self._journal, self._stores.files, self._stores.databases, self._failures, self.done, position
        )
        return Writer(
            outputs, commit_every_s=commit_every_s, commit_bytes=commit_bytes, on_commit=on_commit, on_error=on_error
        )

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Replace summary.json as a whole. Raises WriteError where that cannot be done."""
        path = self.path / SUMMARY
        try:
            _replace(path, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
        except OSError as exc:
            raise WriteError(f"{path}: cannot be written: {exc.strerror}; the rows are safe") from exc

    def add_telemetry(self, record: Mapping[str, Any]) -> None:
        """Put a session behind the others of telemetry.json, which is replaced as a whole. Raises WriteError."""
        path = self.path / TELEMETRY
        try:
            before = path.read_bytes() if path.exists() else None
            _replace(path, with_session(before, record))
        except OSError as exc:
            raise WriteError(f"{path}: cannot be written: {exc.strerror}; the rows are safe") from exc

    @property
    def has_summary(self) -> bool:
        """An earlier session has told how it ended, and it can be read."""
        try:
            return isinstance(msgspec.json.decode((self.path / SUMMARY).read_bytes()), dict)
        except (OSError, msgspec.DecodeError):
            return False

    @property
    def files(self) -> dict[str, str]:
        """What a user may look at, by role."""
        rows = [place.shown for place in self._places]
        roles = {"rows" if not number else f"rows {number + 1}": shown for number, shown in enumerate(rows)}
        return {**roles, "failures": str(self._failures.path), "summary": str(self.path / SUMMARY)}

    def own_names(self, files: Mapping[str, str]) -> dict[str, str]:
        """Files by role; those in this folder without its name, for it may be moved."""
        inside = {role: Path(file).is_relative_to(self.path) for role, file in files.items()}
        return {role: str(Path(file).relative_to(self.path)) if inside[role] else file for role, file in files.items()}

    def _begin(self) -> None:
        header = self._journal.header
        if header is None or self._fresh:
            self._start_over(is_new=header is None)
        else:
            self._go_on(header)
        self._journal.append(encode_line(Session(self._pid, _now())))
        for store in (*self._stores.files.values(), self._failures):
            store.recover(self.done.files, self.done.unswapped)
        disk.sync_folder(self.path)
        remove_parts(self.path)
        if self._keep_bodies:
            self.keeper = BodyFolder(self.path, self._keep_bodies)

    def _make_stores(self) -> None:
        """Stores for the columns of the form, those of files open."""
        self._stores = make_stores(self._places, replace(self._options, columns=self.form.columns))
        for store in (*self._stores.files.values(), self._failures):
            store.open()

    def _go_on(self, header: JournalHeader) -> None:
        self.form = self.form.resumed(header.shape)
        refuse_other_shape(header.shape, self.form.shape, str(self.path))
        for commit in self._journal.commits():
            self.done.add(commit)
        self._make_stores()
        for database in self._stores.databases.values():
            database.open()
        for database in self._stores.databases.values():
            self._agree_with(database, header.run)

    def _agree_with(self, database: Database, run: str) -> None:
        """Let journal and database tell the same: a crash between the two leaves the database one commit ahead."""
        number, line = database.recover(run) or (0, b"")
        if number == self.done.number + 1 and line:
            self._journal.append(line)
            self.done.add(decode_commit(line))
        elif not number and not self.done.number:
            database.start(run)
        elif number != self.done.number:
            raise SinkError(
                f"{database.name}: its last commit is number {number}, that of {self._journal.path} number "
                f"{self.done.number}: put back the one that was replaced or restored, or start over with --fresh"
            )

    def _start_over(self, *, is_new: bool) -> None:
        """Rows without a journal are somebody's: they are removed only where --fresh asks for it.

        They go before the journal: killed in between, the folder asks for --fresh once more.
        """
        if is_new and not self._fresh and self._has_rows():
            raise _no_journal(str(self.path))
        if self._fresh:
            self._remove_old()
        self._make_stores()
        for store in self._stores.files.values():
            if not self._fresh and not store.is_empty():
                raise _no_journal(store.name)
        run = secrets.token_hex(8)
        # Behind the look at the files: where there is a journal, what it does not tell of is ours and goes. Before the
        # databases: what they leave where the start is cut short must not pass for somebody's rows.
        self._journal.start(JournalHeader(FORMAT_VERSION, self.form.shape, _now(), run, secrets.randbits(64)))
        for database in self._stores.databases.values():
            database.open()
        for database in self._stores.databases.values():
            if not self._fresh:
                database.recover(run)
            database.start(run)

    def _remove_old(self) -> None:
        for path in (*self._ours(), self.path / SUMMARY, self.path / TELEMETRY):
            remove_rows(path)
        remove_bodies(self.path)

    def _has_rows(self) -> bool:
        return any(map(holds_rows, self._ours()))

    def _own_paths(self) -> list[Path]:
        """Files outside of the folder that hold nothing but rows; a database may hold tables of others."""
        return [place.path for place in self._places if place.path is not None and place.format not in DATABASES]


def _replace(path: Path, data: bytes) -> None:
    """Write a file as a whole: whoever looks sees the old one or the new one. After an OSError, the old one."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(data)
        disk.replace(part, path)
    except OSError:
        disk.unlink(part)
        raise


def _no_journal(where: str) -> SinkError:
    return SinkError(
        f"{where}: holds rows but no journal, so this run cannot tell what is done: "
        "choose another folder with -o, or start over with --fresh"
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def refuse_own_files(sources: Sequence[str], folder: Path) -> None:
    """Raise SinkError where a source is a file that a run into the folder would write to, by whatever name."""
    own = [status for name in OWN if (status := _status(str(folder / name)))]
    for source in sources:
        status = _status(source)
        if status and any(os.path.samestat(status, other) for other in own):
            raise SinkError(
                f"{'standard input' if source == '-' else source}: is a file that the run would write to: "
                "choose another folder with -o, or give a copy of it"
            )


def made_by(folder: Path) -> str | None:
    """The command whose rows the folder holds, where that was not `scraper run`; None where there is no journal.

    Raises SinkError for a journal that cannot be read.
    """
    try:
        header = read_header(folder / JOURNAL)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return header.shape.get(MADE_BY) if header else None


def _status(source: str) -> os.stat_result | None:
    try:
        return os.fstat(sys.stdin.fileno()) if source == "-" else os.stat(source)
    except (OSError, ValueError, AttributeError):  # no file: a URL, or a standard input that is closed or replaced
        return None
