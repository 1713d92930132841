"""Records of a CSV list: its `url` column, the other columns carried along. Pure."""

from collections.abc import Sequence

from scraper.errors import SourceError
from scraper.records import SourceLine
from scraper.urls.lines import Block
from scraper.urls.rows import Row, RowReader


class CsvReader:
    """Reads records from blocks of lines. The first row that is not blank is the header."""

    def __init__(self, name: str, url_column: str | None = None, delimiter: str | None = None) -> None:
        """`name`: for messages; `url_column`: None = "url"; `delimiter`: None = found in the header."""
        self._name = name
        self._url_column = url_column or "url"
        self._rows = RowReader(delimiter)
        self._header: list[str] = []
        self._url_index = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the other columns, in order; empty until the header has come."""
        return tuple(name for index, name in enumerate(self._header) if index != self._url_index)

    def feed(self, block: Block) -> list[SourceLine]:
        """Take the next lines; gives the records that they complete. SourceError: the header lacks the column."""
        return self._records(self._rows.feed(block))

    def finish(self) -> list[SourceLine]:
        """Give the last records. Raises SourceError where there was no header."""
        records = self._records(self._rows.finish())
        if not self._header:
            raise SourceError(f"{self._name} is empty: a CSV list begins with a header line that names its columns")
        return records

    def _records(self, rows: list[Row]) -> list[SourceLine]:
        if not self._header:
            rows = self._take_header(rows)
        return [self._record(row) for row in rows if row.fault is not None or any(row.cells)]

    def _take_header(self, rows: list[Row]) -> list[Row]:
        for index, row in enumerate(rows):
            if any(row.cells):
                self._header = unique_names(row.cells)
                self._url_index = self._find_url()
                return rows[index + 1 :]
        return []

    def _find_url(self) -> int:
        if self._url_column in self._header:
            return self._header.index(self._url_column)
        folded = [name.casefold() for name in self._header]
        if self._url_column.casefold() in folded:
            return folded.index(self._url_column.casefold())
        raise SourceError(f"{self._name} has no column {self._url_column!r}{_hint(self._header)}")

    def _record(self, row: Row) -> SourceLine:
        line, cells, fault = row
        if fault is None and len(cells) != len(self._header):
            fault = f"{len(cells)} cells where the header has {len(self._header)}"
        if fault is not None:
            text = cells[self._url_index].strip() if self._url_index < len(cells) else ""
            return SourceLine(text, line, error=fault)
        text = cells[self._url_index].strip()
        extra = dict(zip(self._header, cells, strict=True))
        del extra[self._header[self._url_index]]
        return SourceLine(text, line, extra or None, None if text else f"no URL in column {self._url_column!r}")


def unique_names(cells: Sequence[str]) -> list[str]:
    """Return the column names of a header: none empty, none twice, so that no cell is lost.

    >>> unique_names(["url", "tag", "", "tag"])
    ['url', 'tag', 'column_3', 'tag_2']
    """
    names: dict[str, None] = {}
    copies: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        name = stem = cell.strip() or f"column_{number}"
        while name in names:
            copies[stem] = copies.get(stem, 1) + 1
            name = f"{stem}_{copies[stem]}"
        names[name] = None
    return list(names)


def _hint(header: Sequence[str]) -> str:
    if any("://" in name for name in header):
        return ": its first line is a URL and not a header. Add a header line, or read it as --source-format txt"
    found = ", ".join(header[:20]) + (", …" if len(header) > 20 else "")
    return f"; its columns are: {found}. Name the right one with --url-column"
