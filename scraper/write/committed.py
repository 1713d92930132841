"""The committed rows of files, read back as dicts. What a run appends meanwhile, and what a crash left, is not seen."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from scraper.errors import SinkError
from scraper.records import Column
from scraper.write import tables
from scraper.write.encode import FORMULA_STARTS

Row = dict[str, Any]
Files = Iterable[tuple[Path, int]]
"""Each with its committed length in bytes."""

_BATCH_ROWS = 1000
_DAMAGE = (msgspec.MsgspecError, EOFError, ValueError, csv.Error, zlib.error)
_json = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)  # numbers keep their digits
_any_json = msgspec.json.Decoder(float_hook=Decimal)


class CommittedBytes(io.RawIOBase):
    """The first bytes of a file, as a file."""

    def __init__(self, path: Path, length: int) -> None:
        """Raises OSError where the file cannot be opened, SinkError where it is shorter."""
        super().__init__()
        self._opened: list[io.FileIO] = []  # Python closes also what could not be opened
        self._file = path.open("rb", buffering=0)
        self._opened.append(self._file)
        self._left = length
        if (size := self._file.seek(0, io.SEEK_END)) < length:
            self._file.close()
            raise SinkError(f"{path}: has {size:,} bytes, but {length:,} were committed: it was changed by hand")
        self._file.seek(0)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As files do it; 0 behind the committed bytes."""
        count = self._file.readinto(memoryview(buffer)[: min(len(buffer), self._left)])
        self._left -= count
        return count

    def close(self) -> None:
        """Close the file. May be called twice."""
        for file in self._opened:
            file.close()
        super().close()


def rows_of(files: Files, format: str, columns: Sequence[Column]) -> Iterator[Row]:
    """The rows of a run's files in their order, with values of the columns' types. `columns`: () for JSON lines.

    A text that is empty comes back from CSV as None. Raises SinkError for what cannot be read.
    """
    kind, _, compression = format.partition(".")
    for path, length in files:
        try:
            if kind == "parquet":
                yield from _parquet_rows(path, columns)
            else:
                with _plain(path, length, compression) as plain:
                    yield from _json_rows(plain) if kind == "jsonl" else _csv_rows(plain, columns)
        except _signs_of_damage(compression) as exc:
            raise SinkError(f"{path}: cannot be read as {format} ({exc}): was it changed by hand?") from exc
        except OSError as exc:
            raise SinkError(f"{path}: cannot be read: {exc.strerror or exc}") from exc


def _signs_of_damage(compression: str) -> tuple[type[Exception], ...]:
    if compression != "zst":
        return _DAMAGE
    from backports import zstd

    return (*_DAMAGE, zstd.ZstdError)


def _plain(path: Path, length: int, compression: str) -> BinaryIO:
    raw = io.BufferedReader(CommittedBytes(path, length), 256 * 1024)
    if compression == "gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb"))
    if compression == "zst":
        from backports import zstd  # as in scraper.coding

        return cast(BinaryIO, zstd.ZstdFile(raw))
    return cast(BinaryIO, raw)


def _json_rows(plain: BinaryIO) -> Iterator[Row]:
    return map(_json.decode, plain)


def _csv_rows(plain: BinaryIO, columns: Sequence[Column]) -> Iterator[Row]:
    reader = csv.reader(io.TextIOWrapper(plain, encoding="utf-8", newline=""))
    limit = csv.field_size_limit(2**31 - 1)
    try:
        next(reader, None)
        for cells in reader:
            yield tables.row_of([_value(*pair) for pair in zip(cells, columns, strict=True)], columns)
    finally:
        csv.field_size_limit(limit)


def _value(cell: str, column: Column) -> Any:
    """What the cell was made of, or the text that `tables.row_of` reads; the inverse of `encode.csv_cell`."""
    if not cell:
        return None
    if column.many:
        return cell
    if read := _CELLS.get(column.type):
        return read(cell)
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def _truth(cell: str) -> bool:
    return {"true": True, "false": False}[cell]


def _json_cell(cell: str) -> str:
    """JSON; a text that stood alone was written without its quotes."""
    try:
        _any_json.decode(cell)
    except msgspec.DecodeError:
        return msgspec.json.encode(cell).decode()
    return cell


_CELLS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "bool": _truth,
    "json": _json_cell,
    "float": str,
    "decimal": str,
    "date": str,
    "datetime": str,
}


def _parquet_rows(path: Path, columns: Sequence[Column]) -> Iterator[Row]:
    """A part is committed as a whole, and says itself where it ends."""
    from scraper.write.parquet import load_pyarrow

    load_pyarrow()
    from pyarrow.parquet import ParquetFile

    names = [column.name for column in columns]
    with ParquetFile(path) as part:
        for batch in part.iter_batches(_BATCH_ROWS, columns=names):
            for row in batch.to_pylist():
                yield tables.row_of([tables.trimmed(row[name]) for name in names], columns)
