"""Rows of a CSV list out of blocks of lines. Pure; what the cells mean is decided in `table.py`.

Python's `csv` pulls whole rows from an iterator of lines and cannot be halted in the midst of one. So it is given the
lines there are. If it asks for more while a row is open, that row's lines are kept and read again once another line
with a quote has come, for only such a line can close it. The cases of a row:

    1. complete                                         its cells
    2. holds a line that is not UTF-8                   its cells, with a fault
    3. open at the end of the list, longer than 1 MiB,  its first line alone is a row with a fault, and reading
       or holds a line that was cut for its length      goes on behind that line: one stray quote hides no other row
"""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from scraper.urls.lines import MAX_LINE_BYTES, Block

DELIMITERS = ",;\t|"

_NEVER_CLOSED = f"a quote in this line is not closed within {MAX_LINE_BYTES:,} characters, or never"

# The limit is the whole process's and at first 128 KiB, which a page's text in one cell exceeds. It is set so high that
# rows end by MAX_LINE_BYTES, which holds for a row of many cells too.
csv.field_size_limit(max(csv.field_size_limit(), 4 * MAX_LINE_BYTES))


class Row(NamedTuple):
    """One row."""

    line: int
    """1-based number of its first line."""
    cells: list[str]
    """Empty for a blank line."""
    fault: str | None
    """Why it cannot be used; None for a good one."""


class RowReader:
    """Cuts lines into rows (RFC 4180; quotes are doubled, line ends inside quotes are kept as LF)."""

    def __init__(self, delimiter: str | None = None) -> None:
        """`delimiter`: None = that one of `DELIMITERS` that the first line has most of."""
        self._delimiter = delimiter
        self._lines: list[str] = []
        self._first = 1
        self._faults: dict[int, str] = {}
        self._overlong: set[int] = set()
        self._is_open = False
        self._ran_out = False

    def feed(self, block: Block) -> list[Row]:
        """Take the next lines; gives the rows that they complete."""
        if not self._lines:
            self._first = block.first
        self._lines += block.lines
        self._faults |= block.faults
        self._overlong |= block.overlong
        may_close = not self._is_open or self._is_too_long(0) or any('"' in line for line in block.lines)
        return self._take(is_last=False) if may_close else []

    def finish(self) -> list[Row]:
        """Give the last rows: the list has ended."""
        return self._take(is_last=True)

    def _take(self, is_last: bool) -> list[Row]:
        rows: list[Row] = []
        at = 0
        self._is_open = False
        while at < len(self._lines) and not self._is_open:
            at, self._is_open = self._read_from(at, rows)
            if self._is_open and (is_last or self._is_too_long(at)):
                number = self._first + at
                rows.append(Row(number, [self._lines[at]], self._faults.get(number, _NEVER_CLOSED)))
                at += 1
                self._is_open = False
        self._forget(at)
        return rows

    def _read_from(self, at: int, rows: list[Row]) -> tuple[int, bool]:
        """Read rows from line index `at` on; gives the index where reading goes on, and whether a row is open there."""
        self._ran_out = False
        reader = csv.reader(self._supply(at), delimiter=self._delimiter or self._sniff(at))
        start = at
        for cells in reader:
            if self._ran_out:
                return start, True
            end = at + reader.line_num
            fault = self._fault(start, end) if self._faults else None
            rows.append(Row(self._first + start, cells, fault))
            if fault and self._is_cut(start, end) and end > start + 1:
                return start + 1, False
            start = end
        return start, False

    def _supply(self, at: int) -> Iterator[str]:
        for line in islice(self._lines, at, None):
            yield line + "\n"
        self._ran_out = True

    def _sniff(self, at: int) -> str:
        line = next((line for line in islice(self._lines, at, None) if line.strip()), "")
        delimiter = max(DELIMITERS, key=line.count)
        if line:
            self._delimiter = delimiter
        return delimiter

    def _fault(self, start: int, end: int) -> str | None:
        return next((self._faults[n] for n in range(self._first + start, self._first + end) if n in self._faults), None)

    def _is_cut(self, start: int, end: int) -> bool:
        return not self._overlong.isdisjoint(range(self._first + start, self._first + end))

    def _is_too_long(self, at: int) -> bool:
        return self._is_cut(at, len(self._lines)) or sum(map(len, islice(self._lines, at, None))) > MAX_LINE_BYTES

    def _forget(self, count: int) -> None:
        del self._lines[:count]
        self._first += count
        if self._faults:
            self._faults = {number: fault for number, fault in self._faults.items() if number >= self._first}
            self._overlong = {number for number in self._overlong if number >= self._first}
