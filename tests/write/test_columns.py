"""Rows as the values of typed columns: what each type takes, and what does not fit is named."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from scraper.records import Column, ColumnType
from scraper.write.columns import DoesNotFitError, values_of

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type", "value", "held"),
    [
        ("str", "a", "a"),
        ("str", 7, "7"),
        ("str", {"a": [1]}, '{"a":[1]}'),
        ("int", 2**63 - 1, 2**63 - 1),
        ("int", -(2**63), -(2**63)),
        ("int", "12", 12),
        ("float", 3, 3.0),
        (
            "decimal",
            Decimal("12345678901234567890.123456789012345678"),
            Decimal("12345678901234567890.123456789012345678"),
        ),
        ("decimal", Decimal("1E+19"), Decimal("1E+19")),
        ("decimal", Decimal("1.5000000000000000000000"), Decimal("1.5")),
        ("decimal", Decimal("0E-40"), Decimal(0)),
        ("decimal", "1.10", Decimal("1.10")),
        ("bool", False, False),
        ("date", date(2026, 1, 2), date(2026, 1, 2)),
        ("date", "2026-01-02", date(2026, 1, 2)),
        ("datetime", "2026-01-02T12:00:00Z", NOON),
        ("datetime", NOON, NOON),
        ("json", {"a": Decimal("1.10")}, '{"a":1.10}'),
        ("json", [], "[]"),
    ],
)
def test_value_is_held_as_its_type(type: ColumnType, value: Any, held: Any) -> None:
    assert values_of({"x": value}, [Column("x", type)]) == [held]


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("int", 2**63),
        ("int", "a"),
        ("int", [1]),
        ("float", "a"),
        ("decimal", Decimal("1E+20")),
        ("decimal", Decimal("12345678901.1234567890123456789")),
        ("decimal", Decimal("NaN")),
        ("decimal", Decimal("Infinity")),
        ("bool", 1),
        ("date", NOON),
        ("date", "today"),
        ("datetime", 5),
    ],
)
def test_value_that_does_not_fit_is_named_with_what_to_do(type: ColumnType, value: Any) -> None:
    with pytest.raises(
        DoesNotFitError, match=rf"^x: .* does not fit its column of type {type}: declare the field as str"
    ):
        values_of({"x": value}, [Column("x", type)])


def test_lists_hold_their_items_as_the_type() -> None:
    assert values_of({"x": ["1", 2, None]}, [Column("x", "int", many=True)]) == [[1, 2, None]]
    with pytest.raises(DoesNotFitError, match=r"\(a list\)"):
        values_of({"x": 1}, [Column("x", "int", many=True)])


def test_what_a_row_lacks_is_null_and_what_has_no_column_goes_to_other() -> None:
    columns = [Column("a"), Column("b"), Column("other", "json")]
    assert values_of({"a": "1", "z": 2, "y": None}, columns) == ["1", None, '{"z":2,"y":null}']
    assert values_of({"a": "1", "z": 2}, columns[:2]) == ["1", None], "without that column it has no place"
