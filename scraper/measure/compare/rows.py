"""Whether two runs brought the same: the rows of a folder as hashes, and where two folders differ first. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xxhash

from scraper import weburl
from scraper.errors import ScraperError
from scraper.folder import FAILURES, JOURNAL
from scraper.journal import Commit, read_header, read_records
from scraper.measure.page.html import shown
from scraper.reasons import committed_failures
from scraper.resume import Done, done_of
from scraper.rowsource import Row, source_of

MOMENTS = frozenset({"fetched_at"})
"""What differs between two runs, however equal."""
SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run brought."""

    rows: dict[str, int]
    """URL -> hash of its row, types included."""
    failures: dict[str, str]
    """URL -> kind."""
    hosts: frozenset[str]
    """That the pages came from, after redirects."""

    def first_other(self, other: "Brought") -> str | None:
        """The first URL, in the order of their text, of which the other run says something else; None for none."""
        urls = sorted(self.rows.keys() | other.rows.keys() | self.failures.keys() | other.failures.keys())
        return next((url for url in urls if self._of(url) != other._of(url)), None)

    def _of(self, url: str) -> tuple[int | None, str | None]:
        return self.rows.get(url), self.failures.get(url)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs differ."""

    url: str
    what: str
    """The field, or "outcome"."""
    one: str
    """What the first run has there, as text."""
    other: str


def brought_by(folder: Path) -> Brought:
    """What the run in a folder brought. Raises ScraperError where its rows cannot be read."""
    rows, origins = {}, set()
    for row in rows_in(folder):
        rows[row["url"]] = _hash(row)
        origins.add(weburl.origin(row["final_url"]))
    length = _done(folder).files.get(FAILURES, 0)
    failures = {line.url: line.error for line in committed_failures(folder / FAILURES, length)}
    return Brought(rows, failures, frozenset(map(weburl.host, origins)))


def rows_in(folder: Path) -> Iterator[Row]:
    """The committed rows of a folder, of whatever form."""
    header = read_header(folder / JOURNAL)
    if header is None:
        raise ScraperError(f"{folder}: holds no run")
    with TemporaryDirectory(prefix="scraper-rows-") as scratch:
        yield from source_of(folder, header, _done(folder), Path(scratch)).read()


def difference_at(url: str, one: Path, other: Path) -> Difference:
    """How the runs of two folders differ at a URL."""
    first, second = (_outcome(url, folder) for folder in (one, other))
    if isinstance(first, str) or isinstance(second, str):
        return Difference(url, "outcome", *(each if isinstance(each, str) else "ok" for each in (first, second)))
    name = next(name for name in [*first, *second] if name not in MOMENTS and not _is_same(first, second, name))
    return Difference(url, name, *(_shown(row[name]) if name in row else "nothing" for row in (first, second)))


def _outcome(url: str, folder: Path) -> Row | str:
    """The row of a URL, or its kind of failure."""
    row = next((row for row in rows_in(folder) if row["url"] == url), None)
    return row or brought_by(folder).failures.get(url, "no outcome")


def _is_same(first: Row, second: Row, name: str) -> bool:
    return name in first and name in second and repr(first[name]) == repr(second[name])


def _hash(row: Row) -> int:
    """Of the row's typed values; the order of its fields does not count."""
    items = sorted((name, repr(value)) for name, value in row.items() if name not in MOMENTS)
    return xxhash.xxh3_64_intdigest(repr(items).encode(errors="surrogatepass"))


def _shown(value: Any) -> str:
    """A value as text: of a long one the beginning, and what hides in it made visible."""
    text = shown(repr(value))
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def _done(folder: Path) -> Done:
    return done_of(record for record in read_records(folder / JOURNAL) if isinstance(record, Commit))
