"""The output folder of a run: its files, its journal, and the writer that fills them.

pages.jsonl | pages.csv    rows
failures.jsonl             one line for each URL that gave no row
summary.json               the balance, written when a session ends
journal                    what is done; with it the same command resumes
bodies/                    raw bodies, where fetch.keep_bodies is on
"""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from scraper.errors import ScraperError, SinkError
from scraper.journal import FORMAT_VERSION, Commit, Journal, JournalHeader, pack_keys
from scraper.resume import Done, done_of, refuse_other_shape
from scraper.write.bodies import FOLDER as BODIES
from scraper.write.bodies import BodyFolder, remove_parts
from scraper.write.encode import csv_head
from scraper.write.files import AppendFile
from scraper.write.writer import Entry, Writer

JOURNAL = "journal"
FAILURES = "failures.jsonl"
SUMMARY = "summary.json"


@dataclass(frozen=True, slots=True)
class RowForm:
    """What the rows of a run look like."""

    format: str
    shape: dict[str, Any]
    """Plain JSON; a resume needs the same."""
    columns: tuple[str, ...] = ()
    """CSV only."""

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

    def __init__(self, path: Path, form: RowForm, *, fresh: bool, keep_bodies: bool) -> None:
        """`fresh`: forget what the folder holds and start over."""
        self.path = path
        self._form = form
        self._fresh = fresh
        self._rows = AppendFile(path / form.file_name, form.head)
        self._failures = AppendFile(path / FAILURES)
        self._journal = Journal(path / JOURNAL)
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
                self._begin()
                self._exits = exits.pop_all()
        except (FileExistsError, NotADirectoryError) as exc:
            raise SinkError(f"{exc.filename}: is a file; the output must be a folder: choose another with -o") from exc
        except OSError as exc:
            raise SinkError(f"{exc.filename or self.path}: cannot be written: {exc.strerror}") from exc
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the files and give up the lock."""
        self._rows.close()
        self._failures.close()
        self._exits.close()

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
        """Replace summary.json as a whole."""
        part = self.path / f"{SUMMARY}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
        os.replace(part, self.path / SUMMARY)

    @property
    def files(self) -> dict[str, Path]:
        """What a user may look at, by role."""
        return {"rows": self._rows.path, "failures": self._failures.path, "summary": self.path / SUMMARY}

    def _begin(self) -> None:
        header = self._journal.header
        if header is None or self._fresh:
            self._start_over(is_new=header is None)
        else:
            refuse_other_shape(header.shape, self._form.shape, str(self.path))
            self.done = done_of(self._journal.commits())
        for file in (self._rows, self._failures):
            file.open(self.done.files.get(file.name, 0))
        remove_parts(self.path)
        if self._keep_bodies:
            self.keeper = BodyFolder(self.path)

    def _start_over(self, *, is_new: bool) -> None:
        """Rows without a journal are somebody's: they are removed only where --fresh asks for it."""
        if is_new and not self._fresh and self._has_rows():
            raise SinkError(
                f"{self.path}: holds rows but no journal, so this run cannot tell what is done: "
                "choose another folder with -o, or start over with --fresh"
            )
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self._journal.start(JournalHeader(FORMAT_VERSION, self._form.shape, created))
        if self._fresh:
            self._remove_old()

    def _remove_old(self) -> None:
        for old in self.path.glob("pages.*"):
            old.unlink()
        (self.path / SUMMARY).unlink(missing_ok=True)
        shutil.rmtree(self.path / BODIES, ignore_errors=True)

    def _has_rows(self) -> bool:
        return any(old.stat().st_size for old in self.path.glob("pages.*"))

    def _log(self, lengths: dict[str, int], keys: dict[str, list[int]]) -> None:
        self._journal.commit(Commit(lengths, {outcome: pack_keys(of) for outcome, of in keys.items()}))
