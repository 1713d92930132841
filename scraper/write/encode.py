"""Rows and failures as bytes, in the sink's own form. Pure; row encoders run in the parse workers."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from scraper.records import Failure

ROW_KEYS = ("url", "final_url", "status", "fetched_at", "close_delimited")
"""What every row begins with; the last, in JSON, only where it is true."""
OTHER_COLUMNS = "other"
"""The CSV column that takes, as one JSON object, keys that were not known when the header was written."""

_json = msgspec.json.Encoder(decimal_format="number")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms of the first."""

RowEncoder = Callable[[Mapping[str, Any]], bytes]


def jsonl_row(row: Mapping[str, Any]) -> bytes:
    r"""One JSON line.

    U+2028 and U+2029 are escaped: JSON allows them, but readers that split lines as Unicode does break there.

    >>> jsonl_row({"a": 1, "b": "\u2028"})
    b'{"a":1,"b":"\\u2028"}\n'
    """
    line = _json.encode(row)
    if b"\xe2\x80" in line:
        line = line.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return line + b"\n"


def csv_row(row: Mapping[str, Any], columns: Sequence[str]) -> bytes:
    """One CSV record (RFC 4180, CRLF) with the given columns; null is empty, lists and objects are JSON.

    >>> csv_row({"url": "u", "n": 3, "tags": ["a", "b"]}, ("url", "n", "tags"))
    b'u,3,"[""a"",""b""]"\\r\\n'
    """
    cells = [csv_cell(row.get(name)) for name in columns]
    if columns and columns[-1] == OTHER_COLUMNS:
        others = {key: value for key, value in row.items() if key not in columns}
        cells[-1] = csv_cell(others or None)
    return _csv_line(cells)


def csv_head(columns: Sequence[str]) -> bytes:
    """The header record."""
    return _csv_line(columns)


def csv_cell(value: Any) -> str:
    """A value as the text of one cell.

    Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV injection), a number none.

    >>> csv_cell("=1+1"), csv_cell(-1), csv_cell(True), csv_cell(None)
    ("'=1+1", '-1', 'true', '')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA_STARTS) else value
    text = _json.encode(value).decode()
    return text.strip('"') if not isinstance(value, (list, tuple, Mapping)) else text


def failure_line(failure: Failure) -> bytes:
    """One line of failures.jsonl."""
    return jsonl_row(msgspec.to_builtins(failure))


def _csv_line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode("utf-8", "replace")
