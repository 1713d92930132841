r"""Rows in the forms that stores with tables take; made in the parse workers, so no store's library is needed here.

    sqlite, duckdb    MessagePack: the values in the order of the columns
    postgres          a line of COPY's text format, without its first column, `url_key`
    parquet           a JSON object with the numbers of the columns for names, less what is null

All but the last stand behind the row's key: see `tables.framed`. SQLite has no lists: theirs is JSON text. The text of
PostgreSQL cannot hold the character NUL: U+FFFD takes its place, as in HTML.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from scraper.records import Column
from scraper.write.columns import values_of
from scraper.write.encode import RowEncoder
from scraper.write.tables import framed

_pack = msgspec.msgpack.Encoder()
_json = msgspec.json.Encoder(decimal_format="number")
_COPY_ESCAPES = (("\\", r"\\"), ("\0", "\ufffd"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))
"""The backslash first: the others bring new ones."""
_EPOCH = date(1970, 1, 1).toordinal()
_ARRAY_SPECIAL = re.compile(r'["\\]')


def sqlite_encoder(columns: Sequence[Column]) -> RowEncoder:
    """Rows for `sqlite.SqliteStore`. The encoder raises DoesNotFitError for a value its column cannot hold."""
    return _encoder(columns, lambda values: _pack.encode([_sqlite_value(value) for value in values]))


def duckdb_encoder(columns: Sequence[Column]) -> RowEncoder:
    """Rows for `duckdb.DuckdbStore`, as `sqlite_encoder`."""
    return _encoder(columns, lambda values: _pack.encode([_duckdb_value(value) for value in values]))


def postgres_encoder(columns: Sequence[Column]) -> RowEncoder:
    """Rows for `postgres.PostgresStore`, as `sqlite_encoder`."""
    return _encoder(columns, copy_line)


def parquet_encoder(columns: Sequence[Column]) -> RowEncoder:
    r"""Rows as `parquet.ParquetForm` takes them staged, as `sqlite_encoder` else.

    >>> parquet_encoder([Column("url"), Column("n", "int"), Column("day", "date")])({"day": date(1970, 1, 2)})
    b'{"2":1}\n'
    """
    names = [str(number) for number in range(len(columns))]

    def encode(row: Mapping[str, Any]) -> bytes:
        values = zip(names, values_of(row, columns), strict=True)
        return _json.encode({name: _arrow_value(value) for name, value in values if value is not None}) + b"\n"

    return encode


def _arrow_value(value: Any) -> Any:
    """A value as Arrow's reader of JSON takes it: days by their number."""
    if isinstance(value, list):
        return list(map(_arrow_value, value))
    return value.toordinal() - _EPOCH if type(value) is date else plain(value)


def _encoder(columns: Sequence[Column], payload: Callable[[Sequence[Any]], bytes]) -> RowEncoder:
    def encode(row: Mapping[str, Any]) -> bytes:
        return framed(row["url"], payload(values_of(row, columns)))

    return encode


def plain(value: Any) -> Any:
    """A value of a column as text, number, truth value or None.

    >>> plain(Decimal("1.50")), plain(Decimal("1E+3")), plain(date(2024, 1, 31))
    ('1.50', '1000', '2024-01-31')
    """
    if isinstance(value, Decimal):
        return format(value, "f")
    return msgspec.to_builtins(value) if isinstance(value, date) else value


def _sqlite_value(value: Any) -> Any:
    return _json.encode(value).decode() if isinstance(value, list) else plain(value)


def _duckdb_value(value: Any) -> Any:
    return [plain(item) for item in value] if isinstance(value, list) else plain(value)


def copy_line(values: Sequence[Any]) -> bytes:
    r"""A line of COPY's text format, UTF-8 (PostgreSQL, "COPY", section "Text Format").

    >>> copy_line([1, None, True, "a\tb", ["x", None, 'say "hi"']])
    b'1\t\\N\tt\ta\\tb\t{"x",NULL,"say \\\\"hi\\\\""}\n'
    """
    return ("\t".join(map(_copy_cell, values)) + "\n").encode()


def _copy_cell(value: Any) -> str:
    if value is None:
        return r"\N"
    text = _array(value) if isinstance(value, list) else _copy_text(value)
    for special, escape in _COPY_ESCAPES:
        text = text.replace(special, escape)
    return text


def _copy_text(value: Any) -> str:
    value = plain(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    return value if isinstance(value, str) else repr(value)


def _array(items: Sequence[Any]) -> str:
    """An array's own text (PostgreSQL, "Array Input and Output Syntax"); escaped once more as any cell."""
    return "{" + ",".join("NULL" if item is None else _array_item(item) for item in items) + "}"


def _array_item(item: Any) -> str:
    return '"' + _ARRAY_SPECIAL.sub(r"\\\g<0>", _copy_text(item)) + '"'
