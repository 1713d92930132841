"""Rows in a DuckDB file (extra `duckdb`). While a run writes, DuckDB lets no other process open it, not even to read.

Rows go in as an Arrow table, a group at a time: 10 us a row of 2 KB; a list for each column took 22, `executemany` 650.
There is no index. Rows of the same keys are deleted before a group is inserted, by one scan of the column of keys: at
600,000 rows that was 16 us a row in all and nearly level; with a unique index and an upsert it was 48 and rising, and
such an index must fit into memory.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from scraper import disk
from scraper.errors import ConfigError, ScraperError, SinkError, WriteError
from scraper.records import Column, ColumnType
from scraper.write import tables
from scraper.write.columns import DECIMAL_DIGITS, DECIMAL_SCALE
from scraper.write.tables import KEY, Definition, Found, listed, quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow

TYPES: dict[ColumnType, str] = {
    "str": "VARCHAR",
    "int": "BIGINT",
    "float": "DOUBLE",
    "decimal": f"DECIMAL({DECIMAL_DIGITS},{DECIMAL_SCALE})",
    "bool": "BOOLEAN",
    "date": "DATE",
    "datetime": "VARCHAR",
    "json": "JSON",
}
"""As DuckDB itself calls them. A datetime of a page is text: no type of SQL holds those with a zone and without."""
INSTANT = "TIMESTAMP WITH TIME ZONE"
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",  # the cores belong to the parse workers
    "memory_limit": "256MiB",  # by default it takes 80 % of the machine's
    "checkpoint_threshold": "128MiB",  # each rewrites the last rows: 51 us CPU a row of noise, by default 89
    "autoinstall_known_extensions": "false",  # never from the network
    "autoload_known_extensions": "false",
}
EXTRA_HINT = "duckdb needs the extra duckdb; install it with: pip install 'hybrid-scraper[duckdb]'"
_ARRIVING = "scraper_arriving"
_READ_ROWS = 1000


def _require_extra() -> None:
    try:
        import duckdb  # noqa: F401
        import pyarrow  # noqa: F401 - both, or the first commit would be the one to find out
    except ImportError as exc:
        raise ConfigError(f"{EXTRA_HINT} ({' '.join(str(exc).split())})") from exc


class DuckdbStore:
    """A table in a file. `open`, `recover` or `start`, then `write` and `commit` in turn, then `close`."""

    def __init__(self, path: Path, columns: Sequence[Column], table: str = "pages") -> None:
        """`path`: made where it is missing. Rows come from `tablerows.duckdb_encoder` with the same columns.

        Raises ConfigError where the extra is not installed.
        """
        _require_extra()
        self.name = path.name
        self._path = path
        self._columns = columns
        self._definitions = tables.definitions(columns, TYPES, instant=INSTANT, many="{}[]")
        self._table = table
        self._journal = tables.journal_name(table)
        self._pending = tables.Pending()
        self._owner = ""
        self._connection: duckdb.DuckDBPyConnection | None = None

    def open(self) -> None:
        """Open the file for this process alone.

        Raises SinkError for names that cannot be, for what is no database of DuckDB, and where another process has it
        open.
        """
        tables.refuse_names(str(self._path), self._table, self._columns, folds=True)
        self._connection = self._connect(read_only=False)

    def recover(self, run: str) -> tuple[int, bytes] | None:
        """Number and line of the last commit of the run; None where it has none here. Raises SinkError."""
        with self._errors_as(SinkError):
            last = tables.last_commit(str(self._path), self._table, self._look(), run, self._definitions)
        self._owner = run
        return last

    def start(self, run: str) -> None:
        """Begin anew for this run, without rows. Raises SinkError where the table is somebody's."""
        with self._errors_as(SinkError):
            found = self._look()
            tables.refuse_foreign(str(self._path), self._table, found)
            with self._transaction():
                disk.step("duckdb.start")
                self._make_tables(found)
                self._run(f"INSERT INTO {quoted(self._journal)} VALUES (?, 0, ''::BLOB)", run)
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
                disk.step("duckdb.rows")
                self._remove([*self._pending.gone, *self._pending.rows])
                self._insert(self._pending.rows)
                disk.step("duckdb.line")
                self._note(number, line)
            self._pending.clear()

    def close(self) -> None:
        """Close without committing. May be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self) -> Iterator[dict[str, Any]]:
        """The committed rows as they were before they were encoded; decimals without zeros at their end.

        Needs no `open`, and the file must not be open for writing.
        """
        names = ", ".join(map(_read_form, self._columns))
        with self._errors_as(SinkError), closing(self._connect(read_only=True)) as connection:
            found = connection.execute(f"SELECT {names} FROM {quoted(self._table)}")
            while batch := found.fetchmany(_READ_ROWS):
                yield from (tables.row_of(list(map(tables.trimmed, values)), self._columns) for values in batch)

    def _connect(self, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        with self._errors_as(SinkError):
            # An absolute path: a name such as `md:x` or `:memory:` would mean something else.
            connection = duckdb.connect(str(self._path.absolute()), read_only=read_only, config=SETTINGS)
            connection.execute("SET TimeZone = 'UTC'")
            return connection

    @property
    def _database(self) -> "duckdb.DuckDBPyConnection":
        if self._connection is None:
            raise RuntimeError(f"{self._path} is not open")
        return self._connection

    def _run(self, statement: str, *values: object) -> list[Any]:
        return self._database.execute(statement, list(values)).fetchall()

    def _look(self) -> Found:
        relations = self._run("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        names = {name.casefold() for (name,) in relations}
        found = Found(has_table=self._table.casefold() in names, has_journal=self._journal.casefold() in names)
        if not (found.has_table and found.has_journal):
            return found
        columns = self._run(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = current_schema() "
            f"AND lower(table_name) = lower(?) AND column_name <> '{KEY}' ORDER BY column_index",
            self._table,
        )
        rows = self._run(f"SELECT run, number, line FROM {quoted(self._journal)}")
        found = msgspec.structs.replace(found, columns=tuple(Definition(*column) for column in columns))
        return msgspec.structs.replace(found, run=rows[0][0], number=rows[0][1], line=rows[0][2]) if rows else found

    def _make_tables(self, found: Found) -> None:
        """Tables without rows; those that are there and fit are emptied, so that views on them stay."""
        if found.columns == self._definitions:
            self._run(f"DELETE FROM {quoted(self._table)}")
            self._run(f"DELETE FROM {quoted(self._journal)}")
            return
        for name in (self._table, self._journal):
            self._run(f"DROP TABLE IF EXISTS {quoted(name)}")
        self._run(tables.create_table(quoted(self._table), "BIGINT NOT NULL", self._definitions))
        self._run(tables.create_journal(quoted(self._journal), "BIGINT", "BLOB"))

    def _remove(self, keys: list[int]) -> None:
        if keys:
            self._run(f"DELETE FROM {quoted(self._table)} WHERE {KEY} IN (SELECT unnest(?::BIGINT[]))", keys)

    def _insert(self, rows: dict[int, bytes]) -> None:
        if not rows:
            return
        self._database.register(_ARRIVING, arrow_table(rows, self._columns))
        names = listed(column.name for column in self._columns)
        self._run(f"INSERT INTO {quoted(self._table)} ({KEY}, {names}) SELECT * FROM {_ARRIVING}")
        self._database.unregister(_ARRIVING)

    def _note(self, number: int, line: bytes) -> None:
        statement = f"UPDATE {quoted(self._journal)} SET number = ?, line = ? WHERE run = ? RETURNING run"
        if len(self._run(statement, number, line, self._owner)) != 1:
            raise tables.taken_over(str(self._path), self._table)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        import duckdb

        disk.step("duckdb.begin")
        self._run("BEGIN")
        try:
            yield
            disk.step("duckdb.commit")
            self._run("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a commit that failed has ended it already
                self._run("ROLLBACK")
            raise

    @contextmanager
    def _errors_as(self, kind: type[ScraperError]) -> Iterator[None]:
        """The one place where DuckDB's errors become ours."""
        import duckdb

        try:
            yield
        except duckdb.Error as exc:
            advice = "mend the cause" if kind is SinkError else "what was committed is safe: mend the cause"
            text = str(exc).partition("\n")[0].partition(". See also")[0]
            raise kind(f"{self._path}: {text}; {advice} and give the same command again") from exc


def arrow_table(rows: dict[int, bytes], columns: Sequence[Column]) -> "pyarrow.Table":
    """Encoded rows as an Arrow table; what Arrow cannot make of text, such as decimals, DuckDB makes of it."""
    import pyarrow

    decode = msgspec.msgpack.decode
    values = zip(*(chain((key,), decode(row)) for key, row in rows.items()), strict=True)
    arrays = [pyarrow.array(list(of), type_) for of, type_ in zip(values, _arrow_types(columns), strict=True)]
    return pyarrow.table(arrays, names=list(map(str, range(len(arrays)))))


def _arrow_types(columns: Sequence[Column]) -> "list[pyarrow.DataType]":
    import pyarrow

    plain = {"int": pyarrow.int64(), "float": pyarrow.float64(), "bool": pyarrow.bool_()}
    types = [(plain.get(column.type, pyarrow.string()), column.many) for column in columns]
    return [pyarrow.int64(), *(pyarrow.list_(type_) if many else type_ for type_, many in types)]


def _read_form(column: Column) -> str:
    """How a column is asked for: points of time as text, for DuckDB would need one more library to make objects."""
    name = quoted(column.name)
    return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')" if tables.is_instant(column) else name
