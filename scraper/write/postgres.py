"""Rows in a PostgreSQL table, by psycopg 3 (extra `postgres`). One session holds an advisory lock on the table's name.

A group is copied into a temporary table and upserted from there, with the journal's line in the same transaction. The
temporary one empties itself at each commit, without a trace in the catalogue. Behind PgBouncer the pool must give
sessions, not transactions: the lock is the session's.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scraper import disk
from scraper.errors import ConfigError, ScraperError, SinkError, WriteError
from scraper.records import Column, ColumnType
from scraper.write import tables
from scraper.write.dsn import Server, read_dsn
from scraper.write.tables import KEY, Definition, Found, listed, quoted

if TYPE_CHECKING:
    import psycopg

TYPES: dict[ColumnType, str] = {
    "str": "text",
    "int": "bigint",
    "float": "double precision",
    "decimal": "numeric",
    "bool": "boolean",
    "date": "date",
    "datetime": "text",
    "json": "json",
}
"""As PostgreSQL itself calls them.

A datetime of a page is text: no type of SQL holds both those with a zone and without. `json` keeps the text as it is;
`jsonb` refuses the character NUL in it and forgets the order and the digits.
"""
INSTANT = "timestamp with time zone"
MAX_NAME_BYTES = 63
"""PostgreSQL cuts longer names without an error."""
LOCK_SECONDS = 5
"""How long a held table is waited for: the server ends a session, and its lock, some time after its client has."""
EXTRA_HINT = "postgres needs the extra postgres; install it with: pip install 'hybrid-scraper[postgres]'"
_STAGING = "pg_temp.scraper_arriving"
_COPY_BYTES = 64 * 1024

_SESSION = "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false)"
# "off": after a crash the server has forgotten commits that it confirmed, and our journal would be ahead of it.
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_HOLDER = """
    SELECT activity.pid, activity.application_name FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.database = (
        SELECT oid FROM pg_database WHERE datname = current_database()
    ) AND (lock.classid::bigint << 32) | lock.objid::bigint = $1 AND lock.objsubid = 1
"""
_RELATIONS = """
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = $1 AND relname IN ($2, $3)
"""
_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> $2 ORDER BY attnum
"""


class PostgresStore:
    """A table on a server. `open`, `recover` or `start`, then `write` and `commit` in turn, then `close`."""

    def __init__(self, dsn: str, columns: Sequence[Column], table: str = "pages") -> None:
        """`dsn`: a URL or keywords, as libpq takes them; what it lacks comes from the environment. Never shown.

        `table`: its name, made in the first schema of the search path, or `schema.name`. Rows come from
        `tablerows.postgres_encoder` with the same columns. Raises ConfigError for a `dsn` that cannot be read, and
        where the extra is not installed.
        """
        try:
            import psycopg
        except ImportError as exc:
            raise ConfigError(f"{EXTRA_HINT} ({' '.join(str(exc).split())})") from exc
        self._server: Server = read_dsn(dsn, os.environ)
        self._schema, _, self._table = table.rpartition(".")
        self._journal = tables.journal_name(self._table)
        self.name = f"{self._server.shown}/{table}"
        self._columns = columns
        self._definitions = tables.definitions(columns, TYPES, instant=INSTANT, many="{}[]")
        self._pending = tables.Pending()
        self._owner = ""
        self._connection: psycopg.Connection[Any] | None = None

    def open(self) -> None:
        """Connect and take the lock.

        Raises SinkError where that cannot be, for names that cannot be, and where another run holds the table.
        """
        tables.refuse_names(self.name, self._table, self._columns, folds=False, most_bytes=MAX_NAME_BYTES)
        with self._errors_as(SinkError):
            self._connection = self._connect()
            try:
                self._schema = self._schema or self._first_schema()
                self._lock()
                self._run(_DURABLE)
            except BaseException:
                self.close()
                raise

    def recover(self, run: str) -> tuple[int, bytes] | None:
        """Number and line of the last commit of the run; None where it has none here. Raises SinkError."""
        with self._errors_as(SinkError):
            last = tables.last_commit(self.name, self._table, found := self._look(), run, self._definitions)
            if found.run is not None:
                self._make_staging()
        self._owner = run
        return last

    def start(self, run: str) -> None:
        """Begin anew for this run, without rows. Raises SinkError where the table is somebody's."""
        with self._errors_as(SinkError):
            found = self._look()
            tables.refuse_foreign(self.name, self._table, found)
            disk.step("postgres.begin")
            with self._database.transaction():
                disk.step("postgres.start")
                self._make_tables(found)
                self._run(f"INSERT INTO {self._full(self._journal)} VALUES ($1, 0, '')", run)
                disk.step("postgres.commit")
            self._make_staging()
        self._owner = run

    def write(self, rows: Sequence[bytes]) -> None:
        """Take encoded rows for the next commit."""
        self._pending.put(rows)

    def forget(self, urls: Sequence[str]) -> None:
        """Remove these URLs' rows with the next commit."""
        self._pending.forget(urls)

    def commit(self, number: int, line: bytes) -> None:
        """Make rows, removals and the journal's line durable together.

        Raises WriteError. Then none of them is, or, where the connection was lost over the commit itself, all are:
        `recover` tells.
        """
        with self._errors_as(WriteError):
            disk.step("postgres.begin")
            with self._database.transaction():
                if self._pending.gone:
                    disk.step("postgres.forget")
                    self._run(f"DELETE FROM {self._pages} WHERE {KEY} = ANY($1)", list(self._pending.gone))
                if self._pending.rows:
                    self._insert(self._pending.rows)
                disk.step("postgres.line")
                self._note(number, line)
                disk.step("postgres.commit")
            self._pending.clear()

    def close(self) -> None:
        """Disconnect without committing; the lock goes with it. May be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rows(self) -> Iterator[dict[str, Any]]:
        """The committed rows as they were before they were encoded. Needs no `open`; a connection of its own."""
        names = ", ".join(map(_read_form, self._columns))
        with self._errors_as(SinkError), self._connect() as connection:
            pages = f"{quoted(self._schema or self._first_schema(connection))}.{quoted(self._table)}"
            with connection.transaction(), connection.cursor("scraper_rows") as cursor:
                for values in cursor.execute(f"SELECT {names} FROM {pages}"):
                    yield tables.row_of(values, self._columns)

    def _connect(self) -> "psycopg.Connection[Any]":
        import psycopg

        parameters = self._server.parameters
        connection = psycopg.connect(**parameters, autocommit=True, cursor_factory=psycopg.RawCursor)
        connection.execute(_SESSION)
        return connection

    @property
    def _database(self) -> "psycopg.Connection[Any]":
        if self._connection is None:
            raise RuntimeError(f"{self.name} is not open")
        return self._connection

    def _run(self, statement: str, *values: object) -> "psycopg.Cursor[Any]":
        return self._database.execute(statement, values or None)

    def _full(self, table: str) -> str:
        return f"{quoted(self._schema)}.{quoted(table)}"

    @property
    def _pages(self) -> str:
        return self._full(self._table)

    def _first_schema(self, connection: "psycopg.Connection[Any] | None" = None) -> str:
        row = (connection or self._database).execute("SELECT current_schema()").fetchone()
        if row is None or row[0] is None:
            raise SinkError(f"{self.name}: the search path has no schema: write write.table as schema.name")
        return str(row[0])

    def _lock(self) -> None:
        """Take the table's name for this session. Raises SinkError naming who has it."""
        key = tables.url_key(f"scraper {self._pages}")
        if self._gets(key):
            return
        holder = self._run(_HOLDER, key).fetchone()
        by = f" (server process {holder[0]}, {holder[1] or 'without a name'})" if holder else ""
        raise SinkError(f"{self.name}: another run is writing here{by}: wait for it, or choose another write.table")

    def _gets(self, key: int) -> bool:
        import psycopg

        try:
            with self._database.transaction():
                self._run("SELECT set_config('lock_timeout', $1, true)", f"{LOCK_SECONDS}s")
                self._run("SELECT pg_advisory_lock($1)", key)
        except psycopg.errors.LockNotAvailable:
            return False
        return True

    def _look(self) -> Found:
        names = {name for (name,) in self._run(_RELATIONS, self._schema, self._table, self._journal)}
        found = Found(has_table=self._table in names, has_journal=self._journal in names)
        if not (found.has_table and found.has_journal):
            return found
        columns = tuple(Definition(*column) for column in self._run(_COLUMNS, self._pages, KEY))
        row = self._run(f"SELECT run, number, line FROM {self._full(self._journal)}").fetchone()
        return Found(True, True, columns, *row) if row else Found(True, True, columns)

    def _make_tables(self, found: Found) -> None:
        """Tables without rows; those that are there and fit are emptied, so that their indexes and grants stay."""
        if found.columns == self._definitions:
            self._run(f"TRUNCATE {self._pages}, {self._full(self._journal)}")
            return
        for name in (self._table, self._journal):
            self._run(f"DROP TABLE IF EXISTS {self._full(name)}")
        self._run(tables.create_table(self._pages, "bigint PRIMARY KEY", self._definitions))
        self._run(tables.create_journal(self._full(self._journal), "bigint", "bytea"))

    def _make_staging(self) -> None:
        """The temporary table, anew: the columns may be other ones."""
        types = ", ".join(f"{quoted(column.name)} {column.type}" for column in self._definitions)
        self._run(f"DROP TABLE IF EXISTS {_STAGING}")
        self._run(f"CREATE TEMPORARY TABLE {_STAGING} ({KEY} bigint, {types}) ON COMMIT DELETE ROWS")

    def _insert(self, rows: dict[int, bytes]) -> None:
        names = [column.name for column in self._columns]
        disk.step("postgres.copy")
        with self._database.cursor() as cursor, cursor.copy(f"COPY {_STAGING} FROM STDIN") as copy:
            for piece in _pieces(rows):
                copy.write(piece)
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in names)
        disk.step("postgres.insert")
        self._run(
            f"INSERT INTO {self._pages} ({KEY}, {listed(names)}) SELECT * FROM {_STAGING} "
            f"ON CONFLICT ({KEY}) DO UPDATE SET {changes}"
        )

    def _note(self, number: int, line: bytes) -> None:
        statement = f"UPDATE {self._full(self._journal)} SET number = $1, line = $2 WHERE run = $3"
        if self._run(statement, number, line, self._owner).rowcount != 1:
            raise tables.taken_over(self.name, self._table)

    @contextmanager
    def _errors_as(self, kind: type[ScraperError]) -> Iterator[None]:
        """The one place where psycopg's errors become ours."""
        import psycopg

        try:
            yield
        except psycopg.Error as exc:
            advice = "mend the cause" if kind is SinkError else "what was committed is safe: mend the cause"
            # Not the whole text: it goes on with data of the row at hand.
            text = exc.diag.message_primary or " ".join(str(exc).split())
            raise kind(
                f"{self.name}: {self._server.without_secrets(text)}; {advice} and give the same command again"
            ) from exc


def _pieces(rows: dict[int, bytes]) -> Iterator[bytes]:
    """COPY's text, in pieces of some size: a call for each row would cost more than the row."""
    piece: list[bytes] = []
    size = 0
    for key, line in rows.items():
        piece += (b"%d\t" % key, line)
        size += len(line)
        if size >= _COPY_BYTES:
            yield b"".join(piece)
            piece, size = [], 0
    yield b"".join(piece)


def _read_form(column: Column) -> str:
    """How a column is asked for: JSON as text, for `tables.row_of` reads it without losing digits."""
    name = quoted(column.name)
    if column.type == "json":
        return f"{name}::text[]" if column.many else f"{name}::text"
    return name
