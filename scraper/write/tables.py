"""What the stores with tables share: names, keys, columns, and whose table it is. Pure: each store has its own SQL.

A store has two tables. `pages` (or as write.table says): `url_key`, unique, and the row's columns. `pages_journal`: one
row with the run's name, the number and the line of its last commit, written in the transaction of its rows.
A table without the other one is somebody's and never touched.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from scraper.errors import SinkError, WriteError
from scraper.records import Column, ColumnType
from scraper.write.encode import OTHER_COLUMNS

KEY = "url_key"
"""The first column: 64 bits of the URL's hash. A URL may have 64 KiB, more than an index entry of PostgreSQL takes."""
KEY_BYTES = 8
FETCHED_AT = "fetched_at"
"""The one datetime that always has a zone, UTC; in those of a page it may be missing, and is never made up."""

_json = msgspec.json.Decoder(float_hook=Decimal)  # nested numbers keep their digits


class Definition(msgspec.Struct, frozen=True):
    """A column as the database knows it."""

    name: str
    type: str


class Found(msgspec.Struct, frozen=True):
    """What a database holds under our two names."""

    has_table: bool = False
    has_journal: bool = False
    columns: tuple[Definition, ...] = ()
    run: str | None = None
    """None: the journal table has no row, so nothing was ever begun."""
    number: int = 0
    """0: begun, nothing committed."""
    line: bytes = b""


def journal_name(table: str) -> str:
    """The table of the journal's line beside a table of rows."""
    return f"{table}_journal"


def quoted(name: str) -> str:
    """A name as standard SQL takes it, whatever it holds.

    >>> quoted('a "b" c')
    '"a ""b"" c"'
    """
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Names quoted, with commas between."""
    return ", ".join(map(quoted, names))


def url_key(url: str) -> int:
    """The signed 64-bit key of a row's `url`, as written: a unique index of 8 bytes an entry.

    >>> url_key("http://a/")
    -6165184752029839486
    """
    digest = hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def framed(url: str, payload: bytes) -> bytes:
    """An encoded row as it travels from worker to store: its key in 8 bytes, then the store's own form."""
    return url_key(url).to_bytes(KEY_BYTES, "big", signed=True) + payload


class Pending:
    """Rows and removals that wait for the next commit, in their own bytes; of two rows of a URL the later counts.

    Waiting here and not in the database keeps transactions short: nobody else has to wait for a group to fill.
    """

    def __init__(self) -> None:
        """Nothing waits."""
        self.rows: dict[int, bytes] = {}
        """Key -> payload, in the order of arrival."""
        self.gone: set[int] = set()
        """Keys to remove before the rows are put."""

    def put(self, rows: Iterable[bytes]) -> None:
        """Take rows made by `framed`."""
        for row in rows:
            self.rows[int.from_bytes(row[:KEY_BYTES], "big", signed=True)] = row[KEY_BYTES:]

    def forget(self, urls: Iterable[str]) -> None:
        """Take the removal of these URLs' rows, waiting ones included."""
        keys = [url_key(url) for url in urls]
        self.gone.update(keys)
        for key in keys:
            self.rows.pop(key, None)

    def clear(self) -> None:
        """Nothing waits any more."""
        self.rows.clear()
        self.gone.clear()


def definitions(
    columns: Sequence[Column], types: Mapping[ColumnType, str], *, instant: str, many: str
) -> tuple[Definition, ...]:
    """The columns behind `url_key`, in a database's own types. `many`: the type of lists, `{}` standing for the item's.

    >>> definitions([Column("n", "int", many=True)], {"int": "bigint"}, instant="", many="{}[]")
    (Definition(name='n', type='bigint[]'),)
    """

    def type_of(column: Column) -> str:
        plain = instant if is_instant(column) else types[column.type]
        return many.format(plain) if column.many else plain

    return tuple(Definition(column.name, type_of(column)) for column in columns)


def is_instant(column: Column) -> bool:
    """Whether the column holds points of time, all with a zone."""
    return column.name == FETCHED_AT and column.type == "datetime" and not column.many


def create_table(table: str, key: str, columns: Sequence[Definition]) -> str:
    """The statement that makes the table of rows. `table`: quoted; `key`: type and constraints of `url_key`."""
    own = (f"{quoted(column.name)} {column.type}" for column in columns)
    return f"CREATE TABLE {table} ({', '.join([f'{KEY} {key}', *own])})"


def create_journal(table: str, number: str, line: str) -> str:
    """The statement that makes the journal's table. `table`: quoted; the others: types of its columns."""
    return f"CREATE TABLE {table} (run TEXT NOT NULL, number {number} NOT NULL, line {line} NOT NULL)"


def refuse_names(where: str, table: str, columns: Sequence[Column], *, folds: bool, most_bytes: int = 1000) -> None:
    """Raise SinkError for a name that cannot be a table's or a column's. `folds`: upper and lower case are the same.

    Names come from the user's settings and from the head of his list, so the advice is for both.
    """
    if not table or "\0" in table or len(journal_name(table).encode()) > most_bytes:
        raise SinkError(f"write.table: {table!r:.80} cannot be a table's name: give it a short one, such as pages")
    seen = {KEY: KEY}
    for column in columns:
        wrong = _wrong_name(column.name, seen, folds, most_bytes)
        if wrong:
            raise SinkError(
                f"{where}: a column cannot be called {column.name!r:.80}: {wrong}; rename the field, or the column of "
                "the list"
            )


def _wrong_name(name: str, seen: dict[str, str], folds: bool, most_bytes: int) -> str | None:
    """Why a name cannot be a column's; notes it in `seen` where it can."""
    if not name or "\0" in name:
        return "it is empty or has a NUL in it"
    if len(name.encode("utf-8", "replace")) > most_bytes:
        return f"it is longer than {most_bytes} bytes"
    same = name.casefold() if folds else name
    if same in seen:
        why = "" if seen[same] == name else ", and upper and lower case are the same here"
        return f"{seen[same]!r} is taken{why}"
    seen[same] = name
    return None


def refuse_foreign(where: str, table: str, found: Found) -> None:
    """Raise SinkError where one of our names is taken by a table that this program did not make."""
    if found.has_table != found.has_journal:
        taken = table if found.has_table else journal_name(table)
        raise SinkError(
            f"{where}: has a table {taken} that is not of this program: choose another name with write.table"
        )


def last_commit(
    where: str, table: str, found: Found, run: str, columns: Sequence[Definition]
) -> tuple[int, bytes] | None:
    """Number and line of a run's last commit; None where it has none here, and where no run has committed any.

    Raises SinkError for somebody's table, another run's rows, and columns that are not the run's any more.
    """
    refuse_foreign(where, table, found)
    if found.run is None:
        return None
    if found.run != run:
        if not found.number:  # it was cut short at its start, and its journal may have gone with its folder
            return None
        raise SinkError(
            f"{where}: table {table} holds rows of another run: choose another write.table, or start over with --fresh"
        )
    if changed := changed_columns(found.columns, columns):
        raise SinkError(
            f"{where}: table {table} was changed, it lacks {', '.join(changed)}: put that back, or start over with "
            "--fresh"
        )
    return (found.number, found.line) if found.number else None


def taken_over(where: str, table: str) -> WriteError:
    """The error of a commit that found no journal row of its own run: a run elsewhere was started over with --fresh."""
    return WriteError(
        f"{where}: table {table} was taken over by another run, or emptied: nothing more was written; choose another "
        "write.table for one of the two"
    )


def changed_columns(found: Sequence[Definition], wanted: Sequence[Definition]) -> list[str]:
    """What of the wanted columns is not there or has another type, in words. Columns that somebody added may stay."""
    return [f"{column.name} ({column.type})" for column in wanted if column not in found]


def row_of(values: Sequence[Any], columns: Sequence[Column]) -> dict[str, Any]:
    """A row as it was before it was stored: the inverse of `columns.values_of`.

    Takes values in Python's types or as the text they were stored as. The keys in `other` are keys of the row again.

    >>> row_of(["1.50", '{"x":[2]}'], [Column("price", "decimal"), Column("other", "json")])
    {'price': Decimal('1.50'), 'x': [2]}
    """
    row = {column.name: _read(value, column) for value, column in zip(values, columns, strict=True)}
    if columns and columns[-1] == Column(OTHER_COLUMNS, "json"):
        row |= row.pop(OTHER_COLUMNS) or {}
    return row


def trimmed(value: Any) -> Any:
    """A decimal, or a list of them, without the zeros that a column's fixed scale adds; anything else as it is."""
    if isinstance(value, list):
        return list(map(trimmed, value))
    if not isinstance(value, Decimal):
        return value
    text = format(value, "f")
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else value


def _read(value: Any, column: Column) -> Any:
    if value is None:
        return None
    read = _READERS.get(column.type)
    if not column.many:
        return read(value) if read else value
    items = _json.decode(value) if isinstance(value, str) else value
    return [item if item is None or read is None else read(item) for item in items]


def _decimal(value: Any) -> Decimal:
    return Decimal(value)


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _datetime(value: Any) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _json_value(value: Any) -> Any:
    return _json.decode(value)


_READERS: dict[ColumnType, Callable[[Any], Any]] = {
    "float": float,
    "decimal": _decimal,
    "bool": bool,
    "date": _date,
    "datetime": _datetime,
    "json": _json_value,
}
