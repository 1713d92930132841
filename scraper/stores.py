"""From places to stores: the one file that knows each kind. What a kind needs is imported with the first of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scraper.places import NAMES, Place
from scraper.records import Column
from scraper.write.compressed import CompressedFile, Compression
from scraper.write.encode import csv_head
from scraper.write.files import AppendFile
from scraper.write.partforms import LinesForm
from scraper.write.partplaces import FolderPlace, RemotePlace
from scraper.write.staged import PartForm, PartPlace, StagedParts
from scraper.write.store import Database, FileStore


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What stores are told of the run."""

    folder: Path
    """The output folder, where rows are kept until a part is made of them."""
    columns: tuple[Column, ...]
    table: str
    part_bytes: int
    agent: str = ""
    """The User-Agent, for the head of an archive."""
    robots: bool = True
    """Whether robots.txt was obeyed, for the same."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The row stores of a run by their place among its formats; none is open yet."""

    files: Mapping[int, FileStore]
    databases: Mapping[int, Database]

    def all(self) -> Sequence[FileStore | Database]:
        """Every store."""
        return (*self.files.values(), *self.databases.values())


def make_stores(places: Sequence[Place], options: StoreOptions) -> Stores:
    """A store for each place. Raises ConfigError where one needs an extra that is not installed."""
    files: dict[int, FileStore] = {}
    databases: dict[int, Database] = {}
    for number, place in enumerate(places):
        if place.format in ("sqlite", "duckdb", "postgres"):
            databases[number] = _database(place, options)
        else:
            files[number] = _file_store(place, options)
    return Stores(files, databases)


def _file_store(place: Place, options: StoreOptions) -> FileStore:
    kind, _, compression = place.format.partition(".")
    if place.path is None or kind == "parquet":
        return _staged_parts(place, options)
    head, name = _head(kind, place.path.name, options), _name(place, options)
    if compression:
        return CompressedFile(place.path, head, name, _culled(kind), compression=_compression(compression))
    return AppendFile(place.path, head, name, _culled(kind))


def _staged_parts(place: Place, options: StoreOptions) -> StagedParts:
    where: PartPlace
    if place.path is None:
        where = RemotePlace(place.url, place.shown)
    else:
        where = FolderPlace(place.path, _name(place, options))
    staging = options.folder / f"{NAMES[place.format]}.rows"
    return StagedParts(where, _part_form(place.format, options), staging, options.part_bytes)


def _part_form(format: str, options: StoreOptions) -> PartForm:
    kind, _, compression = format.partition(".")
    if kind == "parquet":
        from scraper.write.parquet import ParquetForm

        return ParquetForm(options.columns)
    suffix = ".warc.gz" if kind == "warc" else f".{format}"
    head = _head(kind, NAMES[format], options)
    return LinesForm(suffix, head, _compression(compression) if compression else None, _culled(kind))


def _compression(name: str) -> Compression:
    return "gz" if name == "gz" else "zst"


def _head(kind: str, name: str, options: StoreOptions) -> bytes:
    """What a file of this kind begins with."""
    if kind == "csv":
        return csv_head([column.name for column in options.columns])
    if kind == "warc":
        from scraper.write.warc import warcinfo

        return warcinfo(name, f"hybrid-scraper/{version('hybrid-scraper')}", options.agent, robots=options.robots)
    return b""


def _culled(kind: str) -> str:
    """An archive keeps what it has."""
    return kind if kind in ("jsonl", "csv") else ""


def _database(place: Place, options: StoreOptions) -> Database:
    if place.format == "postgres":
        from scraper.write.postgres import PostgresStore

        return PostgresStore(place.url, options.columns, options.table)
    if place.path is None:
        raise ValueError(f"{place.format} needs a file")
    if place.format == "duckdb":
        from scraper.write.duckdb import DuckdbStore

        return DuckdbStore(place.path, options.columns, options.table)
    from scraper.write.sqlite import SqliteStore

    return SqliteStore(place.path, options.columns, options.table)


def _name(place: Place, options: StoreOptions) -> str:
    """What the journal calls a place: short in the output folder, so that the folder may be moved."""
    if place.path is None:
        return place.shown
    inside = place.path.is_relative_to(options.folder)
    return str(place.path.relative_to(options.folder)) if inside else str(place.path.absolute())
