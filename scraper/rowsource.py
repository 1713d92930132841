"""Where the committed rows of a run can be read from again: one of its stores, which of them, and how."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from scraper.config import DATABASES
from scraper.errors import SinkError, UsageError
from scraper.journal import JournalHeader
from scraper.ledger import OK
from scraper.places import Place, places_told
from scraper.records import Column
from scraper.resume import Done
from scraper.rowform import columns_of
from scraper.stores import StoreOptions, make_stores
from scraper.urls.canonical import key_of
from scraper.write.committed import rows_of
from scraper.write.cull import Cull

Row = dict[str, Any]

PREFERRED = ("jsonl", "jsonl.zst", "jsonl.gz", "parquet", "sqlite", "duckdb", "postgres", "csv", "csv.zst", "csv.gz")
"""Of a run's stores the first of these is read: what is nearest to hand and tells most. CSV knows no null."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """A store of a run, for reading."""

    shown: str
    """As the user wrote its place."""
    columns: tuple[Column, ...]
    """() where the rows were written without."""
    read: Callable[[], Iterator[Row]]
    """All committed rows; may be called more than once. Raises SinkError where they cannot be read."""


@runtime_checkable
class _Readable(Protocol):
    def rows(self) -> Iterator[Row]: ...


def source_of(folder: Path, header: JournalHeader, done: Done, scratch: Path) -> RowSource:
    """The store to read. `scratch`: a folder for what must be fetched or put together first.

    Raises UsageError where the run keeps no rows, and where a path names a variable that is not set.
    """
    place = _chosen(folder, header.shape)
    columns = columns_of(header.shape) if not place.format.startswith("jsonl") else ()
    if place.format in DATABASES:
        rows = _database(place, folder, columns_of(header.shape), header.shape.get("table") or "pages")
        return RowSource(place.shown, columns, lambda: map(_as_in_json, rows()))
    read = _files(place, folder, columns_of(header.shape), done, scratch)
    counted: Callable[[], Iterator[Row]] = partial(_without_stale, read, done.stale) if done.stale else read
    return RowSource(place.shown, columns, counted if not columns else lambda: map(_as_in_json, counted()))


def _chosen(folder: Path, shape: Mapping[str, Any]) -> Place:
    try:
        found = {place.format: place for place in places_told(folder, shape)}
    except ValueError as exc:
        raise UsageError(f"{folder}: its rows are where write.path says: {exc}") from exc
    for format in PREFERRED:
        if format in found:
            return found[format]
    archive = found["warc"]
    raise UsageError(
        f"{folder}: holds an archive of replies and no rows; scraper run {archive.shown} -o OTHER makes rows of it"
    )


def _database(place: Place, folder: Path, columns: tuple[Column, ...], table: str) -> Callable[[], Iterator[Row]]:
    if place.path is not None and not place.path.exists():
        raise SinkError(f"{place.path}: is missing: put it back")
    (store,) = make_stores([place], StoreOptions(folder, columns, table, part_bytes=0)).all()
    if not isinstance(store, _Readable):
        raise TypeError(f"{place.format} cannot be read")
    return store.rows


def _files(
    place: Place, folder: Path, columns: tuple[Column, ...], done: Done, scratch: Path
) -> Callable[[], Iterator[Row]]:
    if place.path is None or place.format == "parquet":
        from scraper.parted import committed_parts

        return lambda: rows_of(committed_parts(place, folder, columns, done.files, scratch), place.format, columns)
    own = [(folder / name, size) for name, size in done.files.items() if _is_same(folder / name, place.path)]
    return lambda: rows_of(own, place.format, columns)


def _is_same(file: Path, path: Path) -> bool:
    return file.absolute() == path.absolute()


def _without_stale(read: Callable[[], Iterator[Row]], stale: Mapping[int, str]) -> Iterator[Row]:
    """Of the URLs that were scraped again the last row only, and none where that gave none."""
    stays = Cull(stale, key_of, lambda outcome: outcome == OK).decide(row["url"] for row in read())
    for row, stay in zip(read(), stays, strict=True):
        if stay:
            yield row


def _as_in_json(row: Row) -> Row:
    """A row of a store with columns as one of JSON lines: the moment as text, `close_delimited` only where it holds."""
    if isinstance(at := row.get("fetched_at"), datetime):
        row["fetched_at"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if not row.get("close_delimited"):
        row.pop("close_delimited", None)
    return row
