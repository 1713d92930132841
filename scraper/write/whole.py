"""Rows written to one file that appears whole or not at all: under another name first. One function for each form."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraper import disk
from scraper.errors import SinkError, WriteError
from scraper.records import Column
from scraper.write.columns import DoesNotFitError
from scraper.write.compressed import CompressedFile
from scraper.write.encode import RowEncoder, csv_head
from scraper.write.encoders import row_encoder
from scraper.write.files import AppendFile
from scraper.write.tables import journal_name, quoted

if TYPE_CHECKING:
    from scraper.write.duckdb import DuckdbStore
    from scraper.write.postgres import PostgresStore
    from scraper.write.sqlite import SqliteStore

Rows = Iterable[Mapping[str, Any]]

BATCH_ROWS = 1000
"""Rows in memory at a time: 200 MB where each is as large as a long article with all its links."""
RUN = "export"
"""What the tables' own journal calls their maker, until it is dropped."""


def write_whole(path: Path, format: str, rows: Rows, columns: Sequence[Column], table: str) -> int:
    """Write all rows to a file, over one that is there; gives their number.

    `columns`: not looked at for JSON lines. `table`: of a database. Raises ConfigError where an extra is missing,
    SinkError for rows and names that the format cannot hold, WriteError where the disk fails; then the file is as it
    was before.
    """
    part = path.with_name(f"{path.name}.part")
    kind = format.partition(".")[0]
    try:
        _remove(part)
        if kind in ("jsonl", "csv"):
            count = _lines(part, format, rows, columns)
        else:
            count = _WRITERS[kind](part, rows, columns, table)
        disk.replace(part, path)
        disk.sync_folder(path.parent)
    except OSError as exc:
        raise WriteError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        _remove(part)
    return count


def _remove(part: Path) -> None:
    for beside in ("", "-wal", "-shm", "-journal", ".wal", ".rows"):
        disk.unlink(part.with_name(part.name + beside))


def batches(encode: RowEncoder, rows: Rows) -> Iterator[list[bytes]]:
    """Rows encoded, some at a time. Raises SinkError for a value that its column cannot hold."""
    row: Mapping[str, Any] = {}
    encoded: list[bytes] = []
    try:
        for row in rows:
            encoded.append(encode(row))
            if len(encoded) >= BATCH_ROWS:
                yield encoded
                encoded = []
    except DoesNotFitError as exc:
        raise SinkError(f"{row.get('url')}: {exc}") from exc
    if encoded:
        yield encoded


# -- lines ------------------------------------------------------------------------------------------------------------


def _lines(path: Path, format: str, rows: Rows, columns: Sequence[Column]) -> int:
    kind, _, compression = format.partition(".")
    head = csv_head([column.name for column in columns]) if kind == "csv" else b""
    return _append(_line_store(path, head, compression), row_encoder(format, columns), rows)


def _append(store: AppendFile, encode: RowEncoder, rows: Rows) -> int:
    count = 0
    try:
        store.open()
        store.recover({})
        for batch in batches(encode, rows):
            store.write(batch)
            count += len(batch)
        store.finish()
        store.commit()
    finally:
        store.close()
    return count


def _line_store(path: Path, head: bytes, compression: str) -> AppendFile:
    match compression:
        case "gz" | "zst":
            return CompressedFile(path, head, compression=compression)
        case _:
            return AppendFile(path, head)


# -- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(path: Path, rows: Rows, columns: Sequence[Column], table: str) -> int:
    """By way of a file of staged rows, as a run makes its parts."""
    from scraper.write.parquet import ParquetForm

    form, staged = ParquetForm(columns), path.with_name(f"{path.name}.rows")
    count = _append(AppendFile(staged), row_encoder("parquet", columns), rows)
    form.convert(staged, path)
    return count


# -- databases --------------------------------------------------------------------------------------------------------


def fill(store: "SqliteStore | DuckdbStore | PostgresStore", encode: RowEncoder, rows: Rows) -> int:
    """Put all rows into a store's table, which holds nothing else then; gives their number. Opens and closes it."""
    count = 0
    try:
        store.open()
        store.recover(RUN)
        store.start(RUN)
        for number, batch in enumerate(batches(encode, rows), 1):
            store.write(batch)
            store.commit(number, b"")
            count += len(batch)
    finally:
        store.close()
    return count


def _sqlite(path: Path, rows: Rows, columns: Sequence[Column], table: str) -> int:
    from scraper.write.sqlite import SqliteStore

    count = fill(SqliteStore(path, columns, table), row_encoder("sqlite", columns), rows)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"DROP TABLE {quoted(journal_name(table))}")
        connection.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    return count


def _duckdb(path: Path, rows: Rows, columns: Sequence[Column], table: str) -> int:
    from scraper.write.duckdb import DuckdbStore

    count = fill(DuckdbStore(path, columns, table), row_encoder("duckdb", columns), rows)
    import duckdb

    with closing(duckdb.connect(str(path.absolute()))) as connection:
        connection.execute(f"DROP TABLE {quoted(journal_name(table))}")
    return count


_WRITERS: Mapping[str, Callable[[Path, Rows, Sequence[Column], str], int]] = {
    "parquet": _parquet,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
}
