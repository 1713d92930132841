"""The committed parts of a run's rows as files to read: those of a folder or a URL, and one made of what is staged."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from scraper.places import NAMES, Place
from scraper.records import Column
from scraper.write.committed import CommittedBytes
from scraper.write.partforms import LinesForm, copy_durably
from scraper.write.partplaces import RemotePlace
from scraper.write.staged import PartForm


def committed_parts(
    place: Place, folder: Path, columns: tuple[Column, ...], files: Mapping[str, int], scratch: Path
) -> Iterator[tuple[Path, int]]:
    """Each part with its length, in order; one that is fetched or made is gone when the next is asked for.

    `files`: name -> committed length, as the journal has it. Raises SinkError and WriteError where one cannot be read.
    """
    yield from _local_parts(place.path, folder, files) if place.path else _remote_parts(place, files, scratch)
    staged = f"{NAMES[place.format]}.rows"
    if length := files.get(staged):
        copy, part = scratch / "staged", scratch / "part"
        with CommittedBytes(folder / staged, length) as rows:
            copy_durably(rows, copy)
        _form(place.format, columns).convert(copy, part)
        copy.unlink()
        yield part, part.stat().st_size
        part.unlink()


def _local_parts(path: Path, folder: Path, files: Mapping[str, int]) -> Iterator[tuple[Path, int]]:
    for name, size in sorted(files.items()):
        if (folder / name).absolute().parent == path.absolute():
            yield folder / name, size


def _remote_parts(place: Place, files: Mapping[str, int], scratch: Path) -> Iterator[tuple[Path, int]]:
    remote = RemotePlace(place.url, place.shown)
    remote.open()
    for name, size in sorted(files.items()):
        if name.startswith(f"{remote.name}/"):
            target = scratch / name.rpartition("/")[2]
            remote.fetch(target.name, target)
            yield target, size
            target.unlink()


def _form(format: str, columns: tuple[Column, ...]) -> PartForm:
    """What makes a part of staged rows."""
    kind, _, compression = format.partition(".")
    if kind == "parquet":
        from scraper.write.parquet import ParquetForm

        return ParquetForm(columns)
    from scraper.write.encode import csv_head

    head = csv_head([column.name for column in columns]) if kind == "csv" else b""
    match compression:
        case "gz" | "zst":
            return LinesForm(f".{format}", head, compression)
        case _:
            return LinesForm(f".{format}", head)
