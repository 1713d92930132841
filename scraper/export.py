"""The rows of a run in another form. What is committed is read, so a run may be interrupted, or still be writing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from scraper.config import FORMATS
from scraper.config.writing import expanded
from scraper.errors import SinkError, UsageError
from scraper.fit import fitted_columns
from scraper.folder import JOURNAL, OWN
from scraper.journal import Commit, JournalHeader, read_header, read_records
from scraper.places import places_told, replaceable
from scraper.records import Column
from scraper.resume import Done, done_of
from scraper.rowform import columns_of, told_columns
from scraper.rowsource import RowSource, source_of
from scraper.write.whole import write_whole

TARGETS = tuple(format for format in FORMATS if format != "warc")


@dataclass(frozen=True, slots=True)
class Export:
    """What to export, and where to."""

    folder: Path
    format: str
    output: str | None = None
    """A file, or the URL of a PostgreSQL server; None: `export.<format>` in the folder."""
    table: str = "pages"
    """In a database."""
    force: bool = False
    """Replace a file or table that is there."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was done."""

    rows: int
    source: str
    target: str
    """Without a password."""


def export_rows(wanted: Export) -> Exported:
    """Write the rows of a run in another form; the result is there whole or not at all.

    Raises UsageError and SinkError for what cannot be done as asked, ConfigError where an extra is missing, WriteError
    where writing fails.
    """
    if wanted.format not in TARGETS:
        raise UsageError(f"--to {wanted.format}: {_hint(wanted.format)}")
    header, done = _journal(wanted.folder)
    with TemporaryDirectory(prefix="scraper-export-") as scratch:
        source = source_of(wanted.folder, header, done, Path(scratch))
        if wanted.format == "postgres":
            return _to_table(wanted, header, source)
        return _to_file(wanted, header, source)


def _to_file(wanted: Export, header: JournalHeader, source: RowSource) -> Exported:
    path = _path(wanted)
    _refuse_path(path, wanted, header.shape)
    columns = () if wanted.format.startswith("jsonl") else _columns(header, source)
    count = write_whole(path, wanted.format, source.read(), columns, wanted.table)
    return Exported(count, source.shown, str(path))


def _to_table(wanted: Export, header: JournalHeader, source: RowSource) -> Exported:
    from scraper.write.wholetable import write_table

    try:
        dsn = expanded(wanted.output or "")
    except ValueError as exc:
        raise UsageError(f"-o: {exc}") from None
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise UsageError("--to postgres: needs its server: -o 'postgresql://user:$PASSWORD@host/database'")
    count = write_table(dsn, source.read(), _columns(header, source), wanted.table, replace=wanted.force)
    return Exported(count, source.shown, f"table {wanted.table}")


def _columns(header: JournalHeader, source: RowSource) -> tuple[Column, ...]:
    """Those that the run has fixed; else what its fields declare and its rows show, which takes reading them twice."""
    return columns_of(header.shape) or fitted_columns(source.read(), told_columns(header.shape))


def _journal(folder: Path) -> tuple[JournalHeader, Done]:
    path = folder / JOURNAL
    try:
        header = read_header(path)
    except (FileNotFoundError, NotADirectoryError):
        header = None
    if header is None:
        raise SinkError(f"{folder}: no run has written here (there is no {JOURNAL}): name the folder of -o")
    return header, done_of(record for record in read_records(path) if isinstance(record, Commit))


def _path(wanted: Export) -> Path:
    if wanted.output == "-":
        raise UsageError("-o -: rows are written to a file, whole or not at all: name one")
    return replaceable(Path(wanted.output) if wanted.output else wanted.folder / f"export.{wanted.format}")


def _refuse_path(path: Path, wanted: Export, shape: Mapping[str, object]) -> None:
    """Raise UsageError for what the run itself writes to, for what is there, and for what cannot be a file."""
    own = [wanted.folder / name for name in OWN]
    own += [place.path for place in places_told(wanted.folder, shape) if place.path is not None]
    if _is_among(path, own):
        raise UsageError(f"{path}: is a file of the run itself: name another one with -o")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder: name a file in it with -o")
    if "://" in str(wanted.output):
        raise UsageError(f"{wanted.output}: {wanted.format} is written to a file of this machine")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: is no folder: make it first, or name another place with -o")
    if path.exists() and not wanted.force:
        raise UsageError(f"{path}: exists already: name another file with -o, or replace it with --force")


def _is_among(path: Path, others: Iterable[Path]) -> bool:
    """Whether a path is one of others, or in one that is a folder."""
    return any(path.resolve().is_relative_to(other.resolve()) for other in others)


def _hint(format: str) -> str:
    if format == "warc":
        return "an archive holds replies, not rows: scraper run --set write.format=warc makes one"
    near = get_close_matches(format, TARGETS, n=1)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(TARGETS)}"
