"""Rows written to a table of a PostgreSQL server that appears whole or not at all: under another name first."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scraper.errors import SinkError, UsageError, WriteError
from scraper.records import Column
from scraper.write.dsn import Server, read_dsn
from scraper.write.encoders import row_encoder
from scraper.write.tables import journal_name, quoted
from scraper.write.whole import Rows, fill

if TYPE_CHECKING:
    import psycopg


def write_table(dsn: str, rows: Rows, columns: Sequence[Column], table: str, *, replace: bool) -> int:
    """Write all rows to a table; gives their number. `table`: its name, or `schema.name`. `replace`: one that is there.

    Raises UsageError where the table is there and stays, or belongs to a run; ConfigError, SinkError and WriteError as
    `postgres.PostgresStore`. After an error the table is as it was before.
    """
    from scraper.write.postgres import PostgresStore

    arriving = f"{table}_arriving"
    store = PostgresStore(dsn, columns, arriving)
    server = read_dsn(dsn, os.environ)
    with _connected(server) as connection:
        _refuse(connection, f"{server.shown}/{table}", table, replace=replace)
        _drop(connection, arriving)
    count = fill(store, row_encoder("postgres", columns), rows)
    with _connected(server) as connection, connection.transaction():
        if replace:
            connection.execute(_sql(f"DROP TABLE IF EXISTS {_full(table)}"))
        connection.execute(_sql(f"ALTER TABLE {_full(arriving)} RENAME TO {quoted(table.rpartition('.')[2])}"))
        connection.execute(_sql(f"DROP TABLE {_full(_journal(arriving))}"))
    return count


def _refuse(connection: "psycopg.Connection[Any]", shown: str, table: str, *, replace: bool) -> None:
    if _exists(connection, _journal(table)):
        raise UsageError(f"{shown}: holds the rows of a run: choose another name with --table")
    if not replace and _exists(connection, table):
        raise UsageError(f"{shown}: exists already: choose another name with --table, or replace it with --force")


def _exists(connection: "psycopg.Connection[Any]", table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s)", (_full(table),)).fetchone()
    return row is not None and row[0] is not None


def _drop(connection: "psycopg.Connection[Any]", table: str) -> None:
    """Remove what an export that was killed has left, unless it is somebody's."""
    if _exists(connection, table) and _exists(connection, _journal(table)):
        with connection.transaction():
            connection.execute(_sql(f"DROP TABLE {_full(table)}, {_full(_journal(table))}"))


def _journal(table: str) -> str:
    schema, dot, name = table.rpartition(".")
    return f"{schema}{dot}{journal_name(name)}"


def _full(table: str) -> str:
    """The quoted name; without a schema that of the search path."""
    schema, _, name = table.rpartition(".")
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def _sql(statement: str) -> bytes:
    """psycopg takes text only where it stands in the program; names are quoted by hand here."""
    return statement.encode()


@contextmanager
def _connected(server: Server) -> "Iterator[psycopg.Connection[Any]]":
    import psycopg

    try:
        with psycopg.connect(**server.parameters, autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as exc:
        raise SinkError(
            f"{server.shown}: {_said(server, exc)}; mend the cause and give the same command again"
        ) from exc
    except psycopg.Error as exc:
        raise WriteError(f"{server.shown}: {_said(server, exc)}; nothing was changed") from exc


def _said(server: Server, exc: "psycopg.Error") -> str:
    return server.without_secrets(exc.diag.message_primary or " ".join(str(exc).split()))
