"""A page and its row as the bytes that a run's stores want. Pure; it runs in the parse workers.

A run with one store gets that store's bytes as they are. With several the pieces travel as one msgpack list, in the
order of the formats; the writer deals them out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from scraper.records import Column, Page, ParsePlan
from scraper.write.encode import RowEncoder, csv_row, jsonl_row

Row = Mapping[str, Any]
PageEncoder = Callable[[Page, Row | None], bytes]
"""From a page as it came and its row, None where it gave none, to what the stores keep of it: b"" for nothing."""

_pack = msgspec.msgpack.Encoder().encode


def page_encoder(plan: ParsePlan) -> PageEncoder:
    """The encoder of a run. Raises ConfigError where a format needs an extra that is not there."""
    encoders = [_encoder(format, plan) for format in plan.formats]
    if len(encoders) == 1:
        return encoders[0]

    def encode(page: Page, row: Row | None) -> bytes:
        pieces = [encoder(page, row) for encoder in encoders]
        return _pack(pieces) if any(pieces) else b""

    return encode


def _encoder(format: str, plan: ParsePlan) -> PageEncoder:
    if format == "warc":
        from scraper.write.warc import archive_encoder

        return archive_encoder()
    encode = row_encoder(format, plan.columns)
    return lambda page, row: b"" if row is None else encode(row)


def row_encoder(format: str, columns: Sequence[Column]) -> RowEncoder:
    """The encoder of a format for rows alone."""
    kind = format.partition(".")[0]
    return _ROW_ENCODERS[kind](columns)


def _csv(columns: Sequence[Column]) -> RowEncoder:
    names = [column.name for column in columns]
    return lambda row: csv_row(row, names)


def _python(columns: Sequence[Column]) -> RowEncoder:
    """A pickle, for a caller who wants the values as they are."""
    import pickle

    return pickle.dumps


def _sqlite(columns: Sequence[Column]) -> RowEncoder:
    from scraper.write.tablerows import sqlite_encoder

    return sqlite_encoder(columns)


def _duckdb(columns: Sequence[Column]) -> RowEncoder:
    from scraper.write.tablerows import duckdb_encoder

    return duckdb_encoder(columns)


def _postgres(columns: Sequence[Column]) -> RowEncoder:
    from scraper.write.tablerows import postgres_encoder

    return postgres_encoder(columns)


def _parquet(columns: Sequence[Column]) -> RowEncoder:
    from scraper.write.tablerows import parquet_encoder

    return parquet_encoder(columns)


_ROW_ENCODERS: dict[str, Callable[[Sequence[Column]], RowEncoder]] = {
    "jsonl": lambda columns: jsonl_row,
    "csv": _csv,
    "python": _python,
    "parquet": _parquet,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "postgres": _postgres,
}
