"""The output folder of a run: its files, its journal, and the writer that fills them.

pages.jsonl | pages.csv    rows
failures.jsonl             one line for each URL that gave no row
summary.json               the balance, written when a session ends
journal                    what is done; with it the same command resumes
bodies/                    plain bodies, where fetch.keep_bodies is on
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from scraper.errors import ScraperError, SinkError, WriteError
from scraper.journal import FORMAT_VERSION, Commit, Journal, JournalHeader, pack_keys, read_header
from scraper.resume import MADE_BY, Done, done_of, kept_columns, refuse_other_shape
from scraper.write.bodies import BodyFolder, remove_bodies, remove_parts
from scraper.write.encode import csv_head
from scraper.write.files import AppendFile
from scraper.write.writer import Entry, Writer

JOURNAL = "journal"
FAILURES = "failures.jsonl"
SUMMARY = "summary.json"
ROWS = ("pages.jsonl", "pages.csv")
OWN = (*ROWS, FAILURES, SUMMARY, f"{SUMMARY}.part", JOURNAL)
"""The names a run writes to. Whatever else is in the folder is somebody's and left alone."""


@dataclass(frozen=True, slots=True)
class RowForm:
    """What the rows of a run look like."""

    format: str
    settings: dict[str, Any]
    """Plain JSON; a resume needs the same."""
    columns: tuple[str, ...] = ()
    """CSV only; a resume keeps those of the file where it can."""

    @property
    def shape(self) -> dict[str, Any]:
        """What the journal's header says of the rows."""
        return {**self.settings, "columns": list(self.columns)}

    @property
    def file_name(self) -> str:
        """The rows' file in the folder."""
        return f"pages.{self.format}"

    @property
    def head(self) -> bytes:
        """What the rows' file begins with."""
        return csv_head(self.columns) if self.format == "csv" else b""


class OutputFolder:
    """One session's hold on an output folder. Use as a context manager; two sessions at once are refused.

    Entering raises SinkError where the folder cannot be written, is in use, or holds rows of another form.
    """

    def __init__(self, path: Path, form: RowForm, *, fresh: bool, keep_bodies: int = 0) -> None:
        """`fresh`: forget what the folder holds and start over. `keep_bodies`: of so many bytes at most, 0 = none."""
        self.path = path
        self.form = form
        self._fresh = fresh
        self._rows = AppendFile(path / form.file_name, form.head)
        self._failures = AppendFile(path / FAILURES)
        self._journal = Journal(path / JOURNAL, fresh=fresh)
        self._exits = ExitStack()
        self._keep_bodies = keep_bodies
        self.keeper: BodyFolder | None = None
        self.done = Done()

    def __enter__(self) -> "OutputFolder":
        """Lock the folder, read what is done, cut the files back to it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with ExitStack() as exits:
                exits.enter_context(self._journal)
                exits.callback(self._close_files)
                with _gone_if_refused(self._journal):
                    self._begin()
                self._exits = exits.pop_all()
        except (FileExistsError, NotADirectoryError) as exc:
            raise SinkError(f"{exc.filename}: is a file; the output must be a folder: choose another with -o") from exc
        except OSError as exc:
            raise SinkError(f"{exc.filename or self.path}: cannot be written: {exc.strerror}") from exc
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the files and give up the lock."""
        self._exits.close()

    def _close_files(self) -> None:
        self._rows.close()
        self._failures.close()

    def writer(
        self,
        on_commit: Callable[[list[Entry]], None],
        on_error: Callable[[ScraperError], None],
        *,
        commit_every_s: float,
        commit_bytes: int,
    ) -> Writer:
        """The writer of this session; to be entered and left by the caller."""
        return Writer(
            self._rows,
            self._failures,
            self._log,
            commit_every_s=commit_every_s,
            commit_bytes=commit_bytes,
            on_commit=on_commit,
            on_error=on_error,
        )

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Replace summary.json as a whole. Raises WriteError where that cannot be done."""
        path, part = self.path / SUMMARY, self.path / f"{SUMMARY}.part"
        try:
            part.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
            os.replace(part, path)
        except OSError as exc:
            part.unlink(missing_ok=True)
            raise WriteError(f"{path}: cannot be written: {exc.strerror}; the rows are safe") from exc

    @property
    def has_summary(self) -> bool:
        """An earlier session has told how it ended."""
        return (self.path / SUMMARY).exists()

    @property
    def files(self) -> dict[str, Path]:
        """What a user may look at, by role."""
        return {"rows": self._rows.path, "failures": self._failures.path, "summary": self.path / SUMMARY}

    def _begin(self) -> None:
        header = self._journal.header
        if header is None or self._fresh:
            self._start_over(is_new=header is None)
        else:
            self._go_on(header)
        for file in (self._rows, self._failures):
            file.open(self.done.files.get(file.name, 0))
        remove_parts(self.path)
        if self._keep_bodies:
            self.keeper = BodyFolder(self.path, self._keep_bodies)

    def _go_on(self, header: JournalHeader) -> None:
        columns = kept_columns(header.shape.get("columns", ()), self.form.columns)
        self.form = replace(self.form, columns=columns)
        refuse_other_shape(header.shape, self.form.shape, str(self.path))
        self._rows = AppendFile(self.path / self.form.file_name, self.form.head)
        self.done = done_of(self._journal.commits())

    def _start_over(self, *, is_new: bool) -> None:
        """Rows without a journal are somebody's: they are removed only where --fresh asks for it."""
        if is_new and not self._fresh and self._has_rows():
            raise SinkError(
                f"{self.path}: holds rows but no journal, so this run cannot tell what is done: "
                "choose another folder with -o, or start over with --fresh"
            )
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._journal.start(JournalHeader(FORMAT_VERSION, self.form.shape, created))
        if self._fresh:
            self._remove_old()

    def _remove_old(self) -> None:
        for name in (*ROWS, FAILURES, SUMMARY):
            (self.path / name).unlink(missing_ok=True)
        remove_bodies(self.path)

    def _has_rows(self) -> bool:
        files = [self.path / name for name in (*ROWS, FAILURES)]
        return any(file.is_file() and file.stat().st_size for file in files)

    def _log(self, lengths: dict[str, int], keys: dict[str, list[int]]) -> None:
        self._journal.commit(Commit(lengths, {outcome: pack_keys(of) for outcome, of in keys.items()}))


@contextmanager
def _gone_if_refused(journal: Journal) -> Iterator[None]:
    """Remove the journal, while it is locked, where it was made for a folder that is then refused."""
    try:
        yield
    except BaseException:
        if journal.is_new:
            journal.path.unlink(missing_ok=True)
        raise


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
