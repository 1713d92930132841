"""Rows in an SQLite file, by Python's own sqlite3. The writer's thread alone writes; others may read meanwhile.

Write-ahead log and `synchronous = FULL`: a commit is on the disk when it returns, no reader waits for the writer nor
the other way round, and after a kill or a power cut the next to open the file finds it as of the last commit. Where
there can be no such log (network drives) the rollback journal serves, with `EXTRA`: its removal is the commit, and must
be on the disk.

The table is in order of arrival with an index of keys beside it. Clustered by key, every row would touch a page of its
own somewhere in the file.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from scraper import disk
from scraper.errors import ScraperError, SinkError, WriteError
from scraper.records import Column, ColumnType
from scraper.write import tables
from scraper.write.tables import KEY, Definition, Found, listed, quoted

# No other names: SQLite derives an affinity from a type's name, and one of NUMERIC would turn the text 1.50 into 1.5.
TYPES: dict[ColumnType, str] = {
    "str": "TEXT",
    "int": "INTEGER",
    "float": "REAL",
    "decimal": "TEXT",
    "bool": "INTEGER",
    "date": "TEXT",
    "datetime": "TEXT",
    "json": "TEXT",
}
BUSY_S = 60.0
"""How long another program may hold the file before that is an error."""
SETTINGS = ("cache_size = -16384", "wal_autocheckpoint = 1000")
"""16 MiB of pages in memory and in the log: the index of a million keys takes 25, and is touched all over."""

PAGE_BYTES = 16384
"""A row of a page's text is some kilobytes: with pages of 4 KiB it lies in a chain of them, which takes 15 % longer."""


class SqliteStore:
    """A table in a file. `open`, `recover` or `start`, then `write` and `commit` in turn, then `close`."""

    def __init__(self, path: Path, columns: Sequence[Column], table: str = "pages") -> None:
        """`path`: made where it is missing. Rows come from `tablerows.sqlite_encoder` with the same columns."""
        self.name = path.name
        self._path = path
        self._columns = columns
        self._definitions = tables.definitions(columns, TYPES, instant="TEXT", many="TEXT")
        self._table = table
        self._journal = tables.journal_name(table)
        self._pending = tables.Pending()
        self._owner = ""
        self._connection: sqlite3.Connection | None = None

    def open(self) -> None:
        """Open the file. Raises SinkError for names that cannot be, and for what is no database of SQLite."""
        tables.refuse_names(str(self._path), self._table, self._columns, folds=True)
        with self._errors_as(SinkError):
            # Autocommit: this file says where transactions begin. Opened on one thread, used by the writer's.
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=8
            )
            try:
                self._run(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is made now; another keeps its own
                self._run("SELECT count(*) FROM sqlite_master")
            except BaseException:
                self.close()
                raise

    def recover(self, run: str) -> tuple[int, bytes] | None:
        """Number and line of the last commit of the run; None where it has none here. Raises SinkError."""
        with self._errors_as(SinkError):
            last = tables.last_commit(str(self._path), self._table, self._look(), run, self._definitions)
            self._settle()
        self._owner = run
        return last

    def start(self, run: str) -> None:
        """Begin anew for this run, without rows. Raises SinkError where the table is somebody's."""
        with self._errors_as(SinkError):
            found = self._look()
            tables.refuse_foreign(str(self._path), self._table, found)
            self._settle()
            with self._transaction():
                disk.step("sqlite.start")
                self._make_tables(found)
                self._run(f"INSERT INTO {quoted(self._journal)} VALUES (?, 0, x'')", run)
        self._owner = run

    def write(self, rows: Sequence[bytes]) -> None:
        """Take encoded rows for the next commit."""
        self._pending.put(rows)

    def forget(self, urls: Sequence[str]) -> None:
        """Remove these URLs' rows with the next commit."""
        self._pending.forget(urls)

    def commit(self, number: int, line: bytes) -> None:
        """Make rows, removals and the journal's line durable together. Raises WriteError, and then none of them is."""
        with self._errors_as(WriteError):
            with self._transaction():
                disk.step("sqlite.rows")
                self._remove(self._pending.gone)
                self._insert(self._pending.rows)
                disk.step("sqlite.line")
                self._note(number, line)
            self._pending.clear()

    def close(self) -> None:
        """Close without committing; the write-ahead log goes into the file. May be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self) -> Iterator[dict[str, Any]]:
        """The committed rows as they were before they were encoded, in order of arrival. Needs no `open`."""
        statement = f"SELECT {listed(column.name for column in self._columns)} FROM {quoted(self._table)}"
        with self._errors_as(SinkError):
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as connection:
                for values in connection.execute(statement):
                    yield tables.row_of(values, self._columns)

    @property
    def _database(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError(f"{self._path} is not open")
        return self._connection

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._database.execute(statement, values)

    def _look(self) -> Found:
        names = {name.casefold() for (name,) in self._run("SELECT name FROM sqlite_master")}
        found = Found(has_table=self._table.casefold() in names, has_journal=self._journal.casefold() in names)
        if not (found.has_table and found.has_journal):
            return found
        columns = self._run("SELECT name, type FROM pragma_table_info(?) WHERE name <> ?", self._table, KEY)
        row = self._run(f"SELECT run, number, line FROM {quoted(self._journal)}").fetchone()
        found = msgspec.structs.replace(found, columns=tuple(Definition(*column) for column in columns))
        return msgspec.structs.replace(found, run=row[0], number=row[1], line=row[2]) if row else found

    def _settle(self) -> None:
        """Choose how the file is written; not before it is known to be ours."""
        (mode,) = self._run("PRAGMA journal_mode = WAL").fetchone()
        for setting in (f"synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}", *SETTINGS):
            self._run(f"PRAGMA {setting}")

    def _make_tables(self, found: Found) -> None:
        """Tables without rows; those that are there and fit are emptied, so that indexes and views on them stay."""
        if found.columns == self._definitions:
            self._run(f"DELETE FROM {quoted(self._table)}")
            self._run(f"DELETE FROM {quoted(self._journal)}")
            return
        for name in (self._table, self._journal):
            self._run(f"DROP TABLE IF EXISTS {quoted(name)}")
        self._run(tables.create_table(quoted(self._table), "INTEGER NOT NULL UNIQUE", self._definitions))
        self._run(tables.create_journal(quoted(self._journal), "INTEGER", "BLOB"))

    def _remove(self, keys: Iterable[int]) -> None:
        self._database.executemany(f"DELETE FROM {quoted(self._table)} WHERE {KEY} = ?", ((key,) for key in keys))

    def _insert(self, rows: dict[int, bytes]) -> None:
        names = [column.name for column in self._columns]
        marks = ", ".join("?" * (len(names) + 1))
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names)
        statement = (
            f"INSERT INTO {quoted(self._table)} ({KEY}, {listed(names)}) VALUES ({marks}) "
            f"ON CONFLICT ({KEY}) DO UPDATE SET {changes}"
        )
        decode = msgspec.msgpack.decode
        self._database.executemany(statement, (tuple(chain((key,), decode(row))) for key, row in rows.items()))

    def _note(self, number: int, line: bytes) -> None:
        statement = f"UPDATE {quoted(self._journal)} SET number = ?, line = ? WHERE run = ?"
        if self._run(statement, number, line, self._owner).rowcount != 1:
            raise tables.taken_over(str(self._path), self._table)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        disk.step("sqlite.begin")
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            disk.step("sqlite.commit")
            self._run("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._run("ROLLBACK")
            raise

    @contextmanager
    def _errors_as(self, kind: type[ScraperError]) -> Iterator[None]:
        """The one place where sqlite3's errors become ours."""
        try:
            yield
        except sqlite3.Error as exc:
            advice = "mend the cause" if kind is SinkError else "what was committed is safe: mend the cause"
            raise kind(f"{self._path}: {exc}; {advice} and give the same command again") from exc
