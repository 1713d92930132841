"""Which form a list has, and a reader that takes its raw bytes and gives its records. Pure.

bytes ─► Unpacker ─► LineSplitter ─► TxtReader, JsonlReader or CsvReader ─► records
         gzip, UTF-16  lines, faults
"""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal, Protocol, cast, get_args

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls.lines import Block, LineSplitter
from scraper.urls.plain import JsonlReader, TxtReader
from scraper.urls.table import CsvReader
from scraper.urls.unpack import Unpacker

ListFormat = Literal["txt", "csv", "tsv", "jsonl"]
Format = Literal[ListFormat, "warc"]
"""A WARC file is no list of lines: `archive.py` reads it, the others are for a ListReader."""
FORMATS: tuple[ListFormat, ...] = get_args(ListFormat)

_BINARY_PROBE_BYTES = 8192
"""A NUL among the first so many bytes means that this is no text; git and grep look at as many."""

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".warc": "warc",
}
LIST_SUFFIXES = (".txt", *_SUFFIXES, ".gz")
"""Endings that say "a list", in lower case."""

_REFUSED_SUFFIXES = {
    ".json": 'is one JSON document. A list has one object a line (.jsonl): jq -c ".[]" FILE > FILE.jsonl',
    ".xml": "is XML: sitemaps are not read yet. Give a .txt, .csv or .jsonl list",
    ".xls": "is an Excel workbook. Save the table as CSV",
    ".xlsx": "is an Excel workbook. Save the table as CSV",
    ".parquet": "is a Parquet file. Convert it to .jsonl or .csv",
    ".arc": "is an ARC file. Convert it: warcio recompress FILE NEW.warc.gz",
    ".wacz": "is a WACZ package. Unpack it (unzip), and give the .warc.gz files in its folder archive",
}


def format_of(name: str, chosen: str | None = None) -> Format:
    """Return a list's form: the chosen one, else that of the name's suffix less `.gz`; other suffixes mean plain text.

    >>> format_of("urls.CSV.gz"), format_of("urls"), format_of("urls.txt", "jsonl"), format_of("pages.warc.gz")
    ('csv', 'txt', 'jsonl', 'warc')
    """
    if chosen is not None:
        return checked_format(chosen)
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes if suffix.lower() not in (".gz", ".zst")]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _REFUSED_SUFFIXES:
        raise SourceError(f"{name} {_REFUSED_SUFFIXES[suffix]}")
    return _SUFFIXES.get(suffix, "txt")


def checked_format(chosen: str) -> Format:
    """Return `chosen` as a form; SourceError where there is none of this name."""
    for known in get_args(Format):
        if chosen == known:
            return cast(Format, known)
    raise SourceError(f"unknown list format {chosen!r}: expected one of {', '.join(get_args(Format))}")


class RecordReader(Protocol):
    """Reads the records of one form from blocks of lines."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the other columns, as far as known."""

    def feed(self, block: Block) -> list[SourceLine]:
        """Give the records that the next lines complete."""

    def finish(self) -> list[SourceLine]:
        """Give the records held back."""


class ListReader:
    """Reads a whole list, cut into pieces anywhere. No record of it is lost in silence: a bad one is given as such."""

    def __init__(self, name: str, form: ListFormat, url_column: str | None = None) -> None:
        """`name`: for messages; `url_column`: the column or key that holds the URL, None = "url"."""
        self._name = name
        self._unpacker = Unpacker(name)
        self._splitter = LineSplitter()
        self._records = _record_reader(name, form, url_column)
        self._to_probe = _BINARY_PROBE_BYTES

    @property
    def columns(self) -> tuple[str, ...]:
        """The other columns: of a CSV header, or of the first JSON object; empty before and for plain text."""
        return self._records.columns

    def feed(self, data: bytes) -> Iterator[list[SourceLine]]:
        """Take the next bytes; gives lists of records, none empty. SourceError: these bytes are no list of URLs."""
        for piece in self._unpacker.feed(data):
            yield from self._read(piece)

    def finish(self) -> Iterator[list[SourceLine]]:
        """Give the rest of the records; a list that was cut ends with a bad one that says so."""
        for piece in self._unpacker.finish():
            yield from self._read(piece)
        last = self._splitter.finish(self._unpacker.damage)
        if records := self._records.feed(last) + self._records.finish():
            yield records

    def _read(self, piece: bytes) -> Iterator[list[SourceLine]]:
        if self._to_probe:
            self._probe(piece)
        if records := self._records.feed(self._splitter.feed(piece)):
            yield records

    def _probe(self, piece: bytes) -> None:
        if b"\0" in piece[: self._to_probe]:
            raise SourceError(f"{self._name} is a binary file and no list of URLs")
        self._to_probe = max(0, self._to_probe - len(piece))


def _record_reader(name: str, form: ListFormat, url_column: str | None) -> RecordReader:
    match form:
        case "txt":
            return TxtReader()
        case "jsonl":
            return JsonlReader(url_column)
        case "csv":
            return CsvReader(name, url_column)
        case "tsv":
            return CsvReader(name, url_column, delimiter="\t")
