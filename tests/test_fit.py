"""Columns for rows without: the narrowest type that holds all values, and nothing is lost."""

from decimal import Decimal
from typing import Any

import pytest

from scraper.fit import MOST_COLUMNS, fitted_columns
from scraper.records import Column
from scraper.write.columns import values_of

URL = Column("url")


@pytest.mark.parametrize(
    ("values", "type"),
    [
        ([1, None, -5], "int"),
        ([1, 2**63], "str"),
        ([1, Decimal("1.5")], "float"),
        ([True, False], "bool"),
        ([True, 1], "str"),
        ([None, None], "str"),
        (["a", 1], "str"),
        (["a", ["b"]], "json"),
        ([{"a": 1}, None], "json"),
    ],
)
def test_key_that_nobody_declared_gets_the_narrowest_type(values, type):
    rows: list[dict[str, Any]] = [{"url": "u", "found": value} for value in values]
    columns = fitted_columns(rows, [URL])
    assert columns == (URL, Column("found", type))
    assert [values_of(row, columns)[1] is None for row in rows] == [value is None for value in values]


def test_declared_column_stays_though_no_row_has_it_and_gives_way_to_what_a_row_holds():
    declared = [URL, Column("price", "decimal"), Column("day", "date")]
    assert fitted_columns([{"url": "u"}], declared) == tuple(declared)
    fitted = fitted_columns([{"url": "u", "day": "2024-01-02"}, {"url": "v", "day": "soon"}], declared)
    assert fitted == (URL, Column("price", "decimal"), Column("day", "json"))


def test_key_called_other_is_a_column_like_any():
    row = {"url": "u", "a": 1, "other": "mine"}
    columns = fitted_columns([row], [URL])
    assert dict(zip([column.name for column in columns], values_of(row, columns), strict=True)) == row


def test_keys_without_number_go_into_one_column():
    rows = [{"url": "u", f"key{number}": number} for number in range(MOST_COLUMNS + 5)]
    columns = fitted_columns(rows, [URL])
    assert len(columns) == MOST_COLUMNS + 2
    assert values_of(rows[-1], columns)[-1] == f'{{"key{MOST_COLUMNS + 4}":{MOST_COLUMNS + 4}}}'
