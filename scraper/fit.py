"""Columns for rows that were written without: what the fields declare, and what the values of the others are. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from scraper.records import Column, ColumnType
from scraper.rowform import OWN_COLUMNS
from scraper.write.columns import DoesNotFitError, values_of
from scraper.write.encode import OTHER_COLUMNS

MOST_COLUMNS = 1000
"""Besides the declared ones; what else the rows hold goes into one column `other`."""
_LIMIT = 2**63


def fitted_columns(rows: Iterable[Mapping[str, Any]], declared: Sequence[Column]) -> tuple[Column, ...]:
    """Columns that hold all of the rows: the row's own, those found in the rows, the other declared ones.

    A key without a declaration gets the narrowest type that holds all of its values. A declared column keeps its type
    unless a row has something else there, as only `parse.function` can bring about: then it is found, too.

    >>> rows = [{"url": "u", "id": 1, "price": "1.5"}, {"url": "v", "id": None, "tags": ["a"]}]
    >>> [(it.name, it.type) for it in fitted_columns(rows, [Column("url"), Column("price", "decimal")])]
    [('url', 'str'), ('id', 'int'), ('tags', 'json'), ('price', 'decimal')]
    """
    found: dict[str, ColumnType | None] = {}
    fits = {column.name: column for column in declared}
    is_open = False
    for row in rows:
        _drop_misfits(row, fits, found)
        for name, value in row.items():
            if name in fits:
                continue
            if name not in found and len(found) >= MOST_COLUMNS:
                is_open = True
            else:
                found[name] = _wider(found.get(name), _type_of(value))
    return _in_order(declared, fits, found, is_open=is_open)


def _drop_misfits(row: Mapping[str, Any], fits: dict[str, Column], found: dict[str, ColumnType | None]) -> None:
    """Take the declared columns that cannot hold the row's values for columns that nobody declared.

    What fitted before was text or JSON of the declared type, so only JSON surely holds both.
    """
    try:
        values_of(row, list(fits.values()))
    except DoesNotFitError:
        for column in list(fits.values()):
            try:
                values_of(row, [column])
            except DoesNotFitError:
                del fits[column.name]
                found[column.name] = "json"


def _type_of(value: Any) -> ColumnType | None:
    """The type of a value of JSON; None for null, which every column holds."""
    match value:
        case None:
            return None
        case bool():
            return "bool"
        case int():
            return "int" if -_LIMIT <= value < _LIMIT else "str"
        case list() | tuple() | dict():
            return "json"
        case float() | Decimal():
            return "float"
        case _:
            return "str"


def _wider(one: ColumnType | None, other: ColumnType | None) -> ColumnType | None:
    """The type that holds the values of both.

    >>> _wider("int", None), _wider("int", "float"), _wider("bool", "str"), _wider("str", "json")
    ('int', 'float', 'str', 'json')
    """
    if one == other or other is None:
        return one
    if one is None:
        return other
    if "json" in (one, other):
        return "json"
    return "float" if {one, other} == {"int", "float"} else "str"


def _in_order(
    declared: Sequence[Column],
    fits: Mapping[str, Column],
    found: Mapping[str, ColumnType | None],
    *,
    is_open: bool,
) -> tuple[Column, ...]:
    """In the order of a row: its own keys, the list's columns, the fields."""
    own = {column.name for column in OWN_COLUMNS}
    names = {column.name for column in declared}
    chosen = {name: Column(name, type or "str") for name, type in found.items()} | dict(fits)
    order = [
        *(column.name for column in declared if column.name in own),
        *(name for name in found if name not in names),
        *(column.name for column in declared if column.name not in own),
    ]
    if is_open:
        return (*(chosen[name] for name in order if name != OTHER_COLUMNS), Column(OTHER_COLUMNS, "json"))
    if order[-1] == OTHER_COLUMNS:  # a key of the rows themselves: last, the name would mean all others
        order.insert(1, order.pop())
    return tuple(chosen[name] for name in order)
