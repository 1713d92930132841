"""The columns of stores that have typed ones (Parquet and databases), and a row as their values. Pure; used in workers.

A column's declared type decides what it holds, so that every store shows the same value: whole numbers have 64 bits,
decimals 38 digits with 18 behind the point, `json` and what nobody declared is JSON text.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from scraper.records import Column, ColumnType
from scraper.write.encode import OTHER_COLUMNS, csv_cell

DECIMAL_DIGITS, DECIMAL_SCALE = 38, 18
"""Digits in all and behind the point: what Parquet, DuckDB and most databases take at most."""
_INT_LIMIT = 2**63

_json = msgspec.json.Encoder(decimal_format="number")


class DoesNotFitError(ValueError):
    """A value that its column cannot hold. The text names the column and says what to do."""


def values_of(row: Mapping[str, Any], columns: Sequence[Column]) -> list[Any]:
    """A row's values, in the order of the columns; None for what it lacks.

    Of the Python types str, int, float, Decimal, bool, date, datetime, and lists of these. A last column `other` takes
    the keys that no column has, as one JSON object. Raises DoesNotFitError.

    >>> values_of({"a": 1, "x": [2]}, [Column("a", "int"), Column("b"), Column("other", "json")])
    [1, None, '{"x":[2]}']
    """
    values = [_value(row.get(column.name), column) for column in columns]
    if columns and columns[-1].name == OTHER_COLUMNS:
        known = {column.name for column in columns}
        others = {key: value for key, value in row.items() if key not in known}
        values[-1] = _json_text(others) if others else None
    return values


def _value(value: Any, column: Column) -> Any:
    if value is None:
        return None
    read = _READERS[column.type]
    try:
        if column.many:
            return [None if item is None else read(item) for item in value]
        return read(value)
    except (ArithmeticError, TypeError, ValueError) as exc:
        raise DoesNotFitError(
            f"{column.name}: {value!r:.80} does not fit its column of type {column.type}"
            f"{' (a list)' if column.many else ''}: declare the field as str"
        ) from exc


def _str(value: Any) -> str:
    return value if isinstance(value, str) else csv_cell(value)


def _int(value: Any) -> int:
    number = int(value)
    if not -_INT_LIMIT <= number < _INT_LIMIT:
        raise ValueError
    return number


def _decimal(value: Any) -> Decimal:
    """Told by its digits: arithmetic would round to the 28 of the decimal context first."""
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError
    zeros = next((count for count, digit in enumerate(reversed(digits)) if digit), 0)
    if any(digits) and (exponent + zeros < -DECIMAL_SCALE or number.adjusted() >= DECIMAL_DIGITS - DECIMAL_SCALE):
        raise ValueError
    return number


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        raise TypeError
    return value if isinstance(value, date) else date.fromisoformat(value)


def _datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _json_text(value: Any) -> str:
    return _json.encode(value).decode()


_READERS: dict[ColumnType, Callable[[Any], Any]] = {
    "str": _str,
    "int": _int,
    "float": float,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "json": _json_text,
}
