"""What the three databases have in common: rows and line commit together, and somebody's table is never touched."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from scraper import disk
from scraper.errors import SinkError, WriteError
from scraper.records import Column
from scraper.write.duckdb import DuckdbStore
from scraper.write.postgres import PostgresStore
from scraper.write.sqlite import SqliteStore
from scraper.write.store import Database
from scraper.write.tablerows import duckdb_encoder, postgres_encoder, sqlite_encoder

COLUMNS = (
    Column("url"),
    Column("status", "int"),
    Column("fetched_at", "datetime"),
    Column("text"),
    Column("price", "decimal"),
    Column("ratio", "float"),
    Column("good", "bool"),
    Column("on", "date"),
    Column("at", "datetime"),
    Column("data", "json"),
    Column("tags", many=True),
    Column("sizes", "decimal", many=True),
    Column("days", "date", many=True),
    Column("times", "datetime", many=True),
    Column("flags", "bool", many=True),
    Column("parts", "json", many=True),
    Column("other", "json"),
)
NOW = datetime(2026, 11, 22, 14, 46, 5, 416000, tzinfo=UTC)
FULL = {
    "url": "http://a/é?q='\"\\",
    "status": 200,
    "fetched_at": NOW,
    "text": "tab\t line\n return\r back\\slash \\. \\N '\" \U0001f98a \x01\x7f\x85\u2028",
    "price": Decimal("12345678901234567890.123456789012345678"),
    "ratio": -1.5e-300,
    "good": False,
    "on": date(1, 1, 1),
    "at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-23, minutes=-59))),
    "data": {"a": [1, None, {"b": "\x00\u2028"}], "c": 2**70, "d": Decimal("1.50")},
    "tags": ["", "NULL", None, 'a,"b"', "{}", "\\", "back\\\\slash\n", " "],
    "sizes": [Decimal("0.1"), None],
    "days": [date(2024, 2, 29)],
    "times": [datetime(2024, 1, 2, 3, 4)],
    "flags": [True, None, False],
    "parts": [{"x": "\x00"}, [], None, "text"],
    "nobody": {"knows": ["me"]},
}
EMPTY = {"url": "http://b/", "text": "", "at": datetime(2024, 1, 2), "tags": [], "parts": []}

Maker = Callable[..., Any]


@pytest.fixture(params=["sqlite", "duckdb", "postgres"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def make(kind, tmp_path, request) -> Iterator[Maker]:
    """Makes stores of one place, which are closed at the end."""
    made: list[Database] = []
    table = f"t{uuid4().hex}"

    def maker(columns=COLUMNS, table=table) -> Database:
        if kind == "postgres":
            made.append(PostgresStore(request.getfixturevalue("postgres_url"), columns, table))
        else:
            made.append((SqliteStore if kind == "sqlite" else DuckdbStore)(tmp_path / "pages.db", columns, table))
        return made[-1]

    yield maker
    for store in made:
        store.close()


@pytest.fixture
def rows_of(kind) -> Callable[..., list[bytes]]:
    encoder = {"sqlite": sqlite_encoder, "duckdb": duckdb_encoder, "postgres": postgres_encoder}[kind]
    return lambda *rows, columns=COLUMNS: [encoder(columns)(row) for row in rows]


def begun(store, run="run-1"):
    store.open()
    assert store.recover(run) is None
    store.start(run)
    return store


def stored(store) -> list[dict[str, Any]]:
    store.close()
    return list(store.rows())


def page(number: int, **fields) -> dict[str, Any]:
    return {"url": f"http://a/{number}", "status": number, **fields}


def statuses(store) -> dict[str, int]:
    return {row["url"]: row["status"] for row in stored(store)}


def execute(store, statement: str) -> None:
    """Somebody's own statement, on a connection of his."""
    if isinstance(store, PostgresStore):
        with store._connect() as connection:
            connection.execute(statement)
    else:
        other = type(store)(store._path, COLUMNS)
        other.open()
        other._run(statement)
        other.close()


def test_values_of_every_type_come_back_as_they_were(make, rows_of):
    store = begun(make())
    store.write(rows_of(FULL, EMPTY))
    store.commit(1, b"line")
    full, empty = stored(store)
    assert full == FULL
    assert str(full["data"]["d"]) == "1.50"
    assert full["at"].utcoffset() == FULL["at"].utcoffset()
    assert empty == {**dict.fromkeys(column.name for column in COLUMNS[:-1]), **EMPTY}
    assert empty["at"].tzinfo is None


def test_nul_is_kept_except_by_postgres(make, rows_of, kind):
    store = begun(make())
    store.write(rows_of(page(1, text="a\0b", tags=["\0"])))
    store.commit(1, b"line")
    (row,) = stored(store)
    expected = "\ufffd" if kind == "postgres" else "\0"
    assert (row["text"], row["tags"]) == (f"a{expected}b", [expected])


def test_last_line_comes_back_with_its_number(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1)))
    store.commit(1, b"first")
    store.commit(2, b"second \x00\xff\n")
    store.close()
    again = make()
    again.open()
    assert again.recover("run-1") == (2, b"second \x00\xff\n")
    again.write(rows_of(page(2)))
    again.commit(3, b"third")
    assert statuses(again) == {"http://a/1": 1, "http://a/2": 2}


def test_run_that_committed_nothing_has_no_line(make):
    begun(make()).close()
    again = make()
    again.open()
    assert again.recover("run-1") is None


def test_uncommitted_rows_are_gone(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1)))
    store.close()
    again = make()
    again.open()
    assert again.recover("run-1") is None
    assert stored(again) == []


def test_later_row_takes_the_place_of_an_earlier_one_of_its_url(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1), page(2), page(1, status=10)))
    store.commit(1, b"")
    store.write(rows_of(page(2, status=20, tags=["new"]), page(3)))
    store.commit(2, b"x")
    assert statuses(store) == {"http://a/1": 10, "http://a/2": 20, "http://a/3": 3}


def test_forgotten_rows_go_with_the_commit(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1), page(2), page(3)))
    store.commit(1, b"x")
    store.forget(["http://a/1", "http://a/2", "http://nobody/"])
    store.write(rows_of(page(2, status=20), page(4)))
    store.forget(["http://a/4"])
    store.commit(2, b"x")
    assert statuses(store) == {"http://a/2": 20, "http://a/3": 3}


def test_commit_that_fails_at_any_step_leaves_the_one_before(make, rows_of, monkeypatch):
    steps: list[str] = []
    store = begun(make())
    monkeypatch.setattr(disk, "step", steps.append)
    store.write(rows_of(page(1)))
    store.forget(["http://a/9"])
    store.commit(1, b"first")
    assert len(steps) == len(set(steps)) >= 4

    for at in steps:

        def fail(name: str, at=at) -> None:
            if name == at:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(disk, "step", fail)
        store.write(rows_of(page(2, status=len(steps))))
        store.forget(["http://a/1"])
        with pytest.raises(OSError, match="No space"):
            store.commit(2, b"second")
        store.close()
        store = make()
        store.open()
        assert store.recover("run-1") == (1, b"first"), at
    assert statuses(store) == {"http://a/1": 1}


def test_commit_can_be_given_again_after_it_failed(make, rows_of, monkeypatch):
    store = begun(make())
    store.write(rows_of(page(1)))
    with monkeypatch.context() as patch:
        patch.setattr(disk, "step", lambda name: 1 / 0 if name.endswith("commit") else None)
        with pytest.raises(ZeroDivisionError):
            store.commit(1, b"x")
    store.commit(1, b"x")
    assert statuses(store) == {"http://a/1": 1}


def test_rows_of_another_run_are_refused(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1)))
    store.commit(1, b"x")
    store.close()
    other = make()
    other.open()
    with pytest.raises(SinkError, match=r"rows of another run: choose another write.table, or start over with --fresh"):
        other.recover("run-2")
    assert statuses(other) == {"http://a/1": 1}


def test_starting_over_leaves_no_row(make, rows_of):
    store = begun(make())
    store.write(rows_of(page(1)))
    store.commit(1, b"x")
    store.close()
    other = make()
    other.open()
    other.start("run-2")
    assert other.recover("run-2") is None
    assert stored(other) == []


def test_starting_over_takes_other_columns(make, rows_of):
    store = begun(make())
    store.close()
    columns = (Column("url"), Column("n", "int"))
    other = make(columns)
    other.open()
    other.start("run-2")
    other.write(rows_of({"url": "u", "n": 7}, columns=columns))
    other.commit(1, b"x")
    assert stored(other) == [{"url": "u", "n": 7}]


@pytest.mark.parametrize("suffix", ["", "_journal"])
def test_somebodys_table_is_never_touched(make, suffix):
    store = make()
    execute(store, f"CREATE TABLE {store._table}{suffix} (url TEXT)")
    store.open()
    for step in (store.recover, store.start):
        with pytest.raises(SinkError, match=f"a table {store._table}{suffix} that is not of this program"):
            step("run-1")
    store.close()
    execute(store, f"SELECT url FROM {store._table}{suffix}")


def test_columns_that_were_changed_are_named(make):
    begun(make()).close()
    execute(make(), f"ALTER TABLE {make()._table} DROP COLUMN price")
    execute(make(), f"ALTER TABLE {make()._table} ADD COLUMN mine TEXT")
    store = make()
    store.open()
    with pytest.raises(SinkError, match=r"was changed, it lacks price \(\w+[^)]*\)+: put that back"):
        store.recover("run-1")


def test_column_that_somebody_added_may_stay(make, rows_of):
    begun(make()).close()
    execute(make(), f"ALTER TABLE {make()._table} ADD COLUMN mine TEXT")
    store = make()
    store.open()
    assert store.recover("run-1") is None
    store.write(rows_of(page(1)))
    store.commit(1, b"x")
    assert statuses(store) == {"http://a/1": 1}


def test_commit_into_a_table_that_was_taken_over_is_refused(make, rows_of):
    store = begun(make())
    store._run(f"UPDATE {store._journal} SET run = 'other'")
    store.write(rows_of(page(1)))
    with pytest.raises(WriteError, match="taken over by another run"):
        store.commit(1, b"x")
    assert stored(store) == []


def test_error_of_the_database_is_one_line_with_advice(make, rows_of):
    store = begun(make())
    store._run(f"DROP TABLE {store._table}")
    store.write(rows_of(page(1)))
    with pytest.raises(
        WriteError, match=r"what was committed is safe: mend the cause and give the same comm"
    ) as caught:
        store.commit(1, b"x")
    assert "\n" not in str(caught.value)
    assert store._table in str(caught.value)


@pytest.mark.parametrize("name", ['say "hi"', "Größe", "a;b", "100%", "%s", "$1", "?", "select", "a.b", "a\nb", "'"])
def test_any_name_can_be_a_columns_and_a_tables(make, rows_of, name, kind):
    columns = (Column("url"), Column(name, "decimal", many=True))
    table = name.replace(".", " ") + uuid4().hex
    store = begun(make(columns, table))
    store.write(rows_of({"url": "u", name: [Decimal("1.5")]}, columns=columns))
    store.commit(1, b"x")
    store.forget(["v"])
    store.commit(2, b"x")
    assert stored(store) == [{"url": "u", name: [Decimal("1.5")]}]
    store.open()
    assert store.recover("run-1") == (2, b"x")
    store.start("run-2")


@pytest.mark.parametrize("name", ["", "a\0b", "url", "url_key"])
def test_name_that_cannot_be_is_refused_with_advice(make, name):
    with pytest.raises(SinkError, match="rename the field, or the column of the list"):
        make((Column("url"), Column(name))).open()


def test_names_that_differ_in_case_only(make, rows_of, kind):
    columns = (Column("url"), Column("Name"), Column("name"))
    store = make(columns)
    if kind != "postgres":
        with pytest.raises(SinkError, match=r"'name': 'Name' is taken, and upper and lower case are the same here"):
            store.open()
        return
    begun(store).write(rows_of({"url": "u", "Name": "1", "name": "2"}, columns=columns))
    store.commit(1, b"x")
    assert stored(store) == [{"url": "u", "Name": "1", "name": "2"}]


def test_many_rows_in_one_commit(make, rows_of):
    store = begun(make())
    store.write(rows_of(*(page(number, text="x" * 2000) for number in range(500))))
    store.commit(1, b"x")
    assert statuses(store) == {f"http://a/{number}": number for number in range(500)}


def test_close_may_be_called_at_any_time(make):
    store = make()
    store.close()
    begun(store).close()
    store.close()
