"""Rows as Parquet: each type keeps its values exactly, and what is large or odd is not lost."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from scraper.errors import ConfigError
from scraper.records import Column
from scraper.write import parquet as module
from scraper.write.columns import DoesNotFitError
from scraper.write.parquet import ParquetForm
from scraper.write.tablerows import parquet_encoder

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402 - only where the extra is

COLUMNS = (
    Column("url"),
    Column("fetched_at", "datetime"),
    Column("n", "int"),
    Column("x", "float"),
    Column("price", "decimal"),
    Column("yes", "bool"),
    Column("day", "date"),
    Column("when", "datetime"),
    Column("data", "json"),
    Column("tags", many=True),
    Column("prices", "decimal", many=True),
    Column("days", "date", many=True),
    Column('odd "name", €'),
    Column(""),
    Column("other", "json"),
)


def written(tmp_path: Path, rows: list[dict[str, Any]], columns: tuple[Column, ...] = COLUMNS) -> Any:
    encode = parquet_encoder(columns)
    (tmp_path / "staged").write_bytes(b"".join(map(encode, rows)))
    ParquetForm(columns).convert(tmp_path / "staged", tmp_path / "part.parquet")
    return parquet.read_table(tmp_path / "part.parquet")


def test_each_type_keeps_its_values(tmp_path):
    row = {
        "url": "http://a.example/",
        "fetched_at": "2026-01-02T03:04:05.678Z",
        "n": -(2**63),
        "x": 0.1,
        "price": Decimal("12345678901234567890.123456789012345678"),
        "yes": False,
        "day": date(1, 1, 1),
        "when": datetime(2026, 1, 2, 3, 4),
        "data": {"a": [1, None, Decimal("1.10")]},
        "tags": ["b", "", "a\u2028\0\n"],
        "prices": [Decimal("1E+3"), None, Decimal("-0.5")],
        "days": [date(9999, 12, 31)],
        'odd "name", €': "1",
        "": "2",
        "new": [3],
    }
    table = written(tmp_path, [row, {"url": "u"}])
    assert table.column_names == [column.name for column in COLUMNS]
    first, second = table.to_pylist()
    assert first == {
        **{name: value for name, value in row.items() if name != "new"},
        "fetched_at": datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        "when": "2026-01-02T03:04:00",
        "data": '{"a":[1,null,1.10]}',
        "other": '{"new":[3]}',
    }
    assert second == {column.name: "u" if column.name == "url" else None for column in COLUMNS}
    assert str(table.schema.field("price").type) == "decimal128(38, 18)"
    assert str(table.schema.field("fetched_at").type) == "timestamp[us, tz=UTC]"


def test_row_groups_are_bounded_and_long_rows_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "GROUP_BYTES", 1000)
    rows = [{"url": str(number), "data": "x" * (5 if number % 10 else 100_000)} for number in range(200)]
    table = written(tmp_path, rows)
    assert table["url"].to_pylist() == [str(number) for number in range(200)]
    assert len(table["data"][10].as_py()) == 100_002
    assert parquet.ParquetFile(tmp_path / "part.parquet").num_row_groups > 10


def test_value_that_does_not_fit_is_the_pages_failure():
    with pytest.raises(DoesNotFitError, match=r"^n: "):
        parquet_encoder(COLUMNS)({"url": "u", "n": 2**63})


def test_without_the_extra_its_name_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.json", None)
    with pytest.raises(ConfigError, match=r"hybrid-scraper\[parquet\]"):
        ParquetForm(COLUMNS)
