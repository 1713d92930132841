"""Parts as Parquet files with typed columns (extra `parquet`). Rows come staged as JSON lines; Arrow's own reader, in
C++ and without the GIL, makes columns of them, so that no value becomes a Python object in the loop's process.

    str, url, json, datetime    string           int, count, length    int64        float, bool    double, bool
    decimal                     decimal(38, 18)  date                  date32       many           a list of these
    fetched_at                  timestamp[us, UTC]
"""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from scraper import disk
from scraper.errors import ConfigError
from scraper.records import Column
from scraper.write.columns import DECIMAL_DIGITS, DECIMAL_SCALE
from scraper.write.cull import Cull
from scraper.write.tables import is_instant

if TYPE_CHECKING:
    import pyarrow

EXTRA_HINT = "parquet needs the extra parquet; install it with: pip install 'hybrid-scraper[parquet]'"
GROUP_BYTES = 16 * 1024 * 1024
"""Of staged rows in a row group: what is in memory at once, three- to fourfold."""


def load_pyarrow() -> None:
    """Raise ConfigError where the extra is not installed."""
    try:
        import pyarrow.json
        import pyarrow.parquet  # noqa: F401 - only to see that it is there
    except ImportError as exc:
        raise ConfigError(f"{EXTRA_HINT} ({' '.join(str(exc).split())})") from exc


class ParquetForm:
    """A `staged.PartForm`."""

    suffix = ".parquet"

    def __init__(self, columns: Sequence[Column]) -> None:
        """Raises ConfigError where the extra is not installed."""
        load_pyarrow()
        self._columns = tuple(columns)

    def convert(self, staged: Path, target: Path) -> None:
        """Write the staged rows as Parquet."""
        schema = schema_of(self._columns)
        self._write(target, schema, (_table(lines, schema) for lines in _slices(staged)))

    def cull(self, part: Path, cull: Cull, target: Path) -> int | None:
        """Write the rows that count."""
        import pyarrow
        from pyarrow import parquet

        stays = cull.decide(parquet.read_table(part, columns=["url"])["url"].to_pylist())
        if all(stays):
            return None
        rows = parquet.ParquetFile(part)
        self._write(target, rows.schema_arrow, _filtered(rows, pyarrow.array(map(bool, stays), pyarrow.bool_())))
        return sum(stays)

    def _write(self, target: Path, schema: "pyarrow.Schema", tables: "Iterator[pyarrow.Table]") -> None:
        from pyarrow import parquet

        disk.step("parquet.write")
        with open(target, "wb", buffering=0) as file:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                for table in tables:
                    writer.write_table(table)
            disk.sync(file)


def schema_of(columns: Sequence[Column]) -> "pyarrow.Schema":
    """The columns in Arrow's types."""
    import pyarrow

    types: dict[str, Callable[[], pyarrow.DataType]] = {
        "int": pyarrow.int64,
        "float": pyarrow.float64,
        "decimal": lambda: pyarrow.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE),
        "bool": pyarrow.bool_,
        "date": pyarrow.date32,
    }

    def type_of(column: Column) -> "pyarrow.DataType":
        plain_type = pyarrow.timestamp("us", "UTC") if is_instant(column) else types.get(column.type, pyarrow.string)()
        return pyarrow.list_(plain_type) if column.many else plain_type

    return pyarrow.schema([(column.name, type_of(column)) for column in columns])


def _slices(staged: Path) -> Iterator[bytes]:
    """The staged lines in pieces of about GROUP_BYTES, a line never cut."""
    with open(staged, "rb") as file:
        while lines := file.readlines(GROUP_BYTES):
            yield b"".join(lines)


def _table(lines: bytes, schema: "pyarrow.Schema") -> "pyarrow.Table":
    from pyarrow import json
    from pyarrow import schema as schema_from

    numbered = schema_from([(str(number), type_) for number, type_ in enumerate(schema.types)])
    # A block holds whole lines only, so it is as large as all of them: the longest is not known.
    table = json.read_json(
        BytesIO(lines),
        read_options=json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        parse_options=json.ParseOptions(explicit_schema=numbered, unexpected_field_behavior="error"),
    )
    return table.rename_columns(schema.names)


def _filtered(rows: "pyarrow.parquet.ParquetFile", stays: "pyarrow.Array") -> "Iterator[pyarrow.Table]":
    start = 0
    for group in range(rows.num_row_groups):
        table = rows.read_row_group(group)
        yield table.filter(stays.slice(start, table.num_rows))
        start += table.num_rows
