"""PostgreSQL alone, on a real server: the lock, the types, a lost connection, and secrets."""

import sys
from threading import Timer
from uuid import uuid4

import pytest

from scraper import disk
from scraper.errors import ConfigError, SinkError, WriteError
from scraper.records import Column
from scraper.write import postgres
from scraper.write.postgres import PostgresStore
from scraper.write.tablerows import postgres_encoder
from tests.postgres import PASSWORD

psycopg = pytest.importorskip("psycopg")

COLUMNS = (
    Column("url"),
    Column("fetched_at", "datetime"),
    Column("price", "decimal"),
    Column("days", "date", many=True),
    Column("data", "json"),
)
ENCODE = postgres_encoder(COLUMNS)


@pytest.fixture
def table() -> str:
    return f"t{uuid4().hex}"


@pytest.fixture
def make(postgres_url, table):
    made = []

    def maker(url=postgres_url, table=table):
        made.append(PostgresStore(url, COLUMNS, table))
        return made[-1]

    yield maker
    for store in made:
        store.close()


@pytest.fixture
def store(make):
    store = make()
    store.open()
    store.start("run-1")
    return store


@pytest.fixture
def admin(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def end_session(admin, store) -> None:
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [store._database.info.backend_pid])


def test_columns_have_types_that_sql_can_use(store, admin, table):
    row = {"url": "a", "fetched_at": "2026-01-02T03:04:05Z", "price": "1.50", "days": ["2024-01-01"], "data": {"a": 7}}
    store.write([ENCODE(row)])
    store.commit(1, b"x")
    admin.execute("SET TimeZone = 'UTC'")
    query = f"SELECT (price * 2)::text, days[1] + 1, data->>'a', extract(hour FROM fetched_at) FROM {table}"
    (found,) = admin.execute(query).fetchall()
    assert [str(value) for value in found] == ["3.00", "2024-01-02", "7", "3"]


def test_second_run_on_a_table_is_refused_and_told_who_is_there(store, make, monkeypatch):
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    pid = store._database.info.backend_pid
    with pytest.raises(SinkError, match=rf"another run is writing here \(server process {pid}, scraper\)"):
        make().open()
    store.close()
    make().open()


def test_session_that_is_ending_is_waited_for(store, make):
    """As after a crash: the server frees the lock when it notices, not when the client is gone."""
    ending = Timer(0.5, store.close)
    ending.start()
    make().open()
    ending.join()


def test_table_is_one_and_the_same_with_and_without_its_schema(store, make, table, monkeypatch):
    monkeypatch.setattr(postgres, "LOCK_SECONDS", 1)
    with pytest.raises(SinkError, match="another run is writing here"):
        make(table=f"public.{table}").open()


def test_table_in_a_schema(make, admin, table):
    admin.execute(f'CREATE SCHEMA "s {table}"')
    store = make(table=f"s {table}.pages")
    store.open()
    store.start("run-1")
    store.write([ENCODE({"url": "a"})])
    store.commit(1, b"x")
    assert [row["url"] for row in store.rows()] == ["a"]
    assert admin.execute(f'SELECT url FROM "s {table}".pages').fetchall() == [("a",)]


def test_schema_that_is_missing_is_named(make):
    store = make(table="nowhere.pages")
    store.open()
    with pytest.raises(SinkError, match='schema "nowhere" does not exist; mend the cause'):
        store.start("run-1")


def test_lost_connection_is_an_error_and_the_run_goes_on_later(store, make, admin):
    store.write([ENCODE({"url": "a"})])
    store.commit(1, b"first")
    end_session(admin, store)
    store.write([ENCODE({"url": "b"})])
    with pytest.raises(WriteError, match="what was committed is safe: mend the cause and give the same command again"):
        store.commit(2, b"second")
    store.close()
    again = make()
    again.open()
    assert again.recover("run-1") == (1, b"first")
    again.write([ENCODE({"url": "c"})])
    again.commit(2, b"second")
    assert {row["url"] for row in again.rows()} == {"a", "c"}


@pytest.mark.parametrize("at", ["copy", "insert", "line", "commit"])
def test_connection_lost_within_a_commit_leaves_the_one_before(store, make, admin, monkeypatch, at):
    store.commit(1, b"first")
    monkeypatch.setattr(disk, "step", lambda name: end_session(admin, store) if name == f"postgres.{at}" else None)
    store.write([ENCODE({"url": "a"})])
    with pytest.raises(WriteError):
        store.commit(2, b"second")
    store.close()
    again = make()
    again.open()
    assert again.recover("run-1") == (1, b"first")
    assert list(again.rows()) == []


def test_server_that_forgets_commits_is_told_not_to(store):
    assert store._run("SHOW synchronous_commit").fetchone() == ("on",)


def test_wrong_password_is_never_shown(make, postgres_url):
    url = postgres_url.replace("no%24secret%40all", "wr0ng%20pass")
    with pytest.raises(SinkError, match="password authentication failed") as caught:
        make(url).open()
    assert "wr0ng" not in str(caught.value)


def test_server_that_is_not_there_is_named_without_the_password(make):
    with pytest.raises(SinkError, match=r"^127.0.0.1/db/.*; mend the cause and give the same command again$") as caught:
        make("postgresql://me:s3cret@127.0.0.1:1/db").open()
    assert "s3cret" not in str(caught.value)


def test_messages_and_name_hold_no_secret(store, table):
    store._run(f"DROP TABLE {table}")
    store.write([ENCODE({"url": "a"})])
    with pytest.raises(WriteError) as caught:
        store.commit(1, b"x")
    assert store.name == f"127.0.0.1/postgres/{table}"
    assert PASSWORD not in f"{caught.value} {store.name}"


def test_row_is_not_part_of_a_message(store, table):
    store._run(f"ALTER TABLE {table} ALTER COLUMN url TYPE varchar(3)")
    store.write([ENCODE({"url": "a long one"})])
    with pytest.raises(WriteError, match="value too long") as caught:
        store.commit(1, b"x")
    assert "a long one" not in str(caught.value)


def test_deep_json_and_a_column_of_megabytes(store):
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    store.write([ENCODE({"url": "x" * 2_000_000, "data": deep})])
    store.commit(1, b"x")
    (row,) = store.rows()
    assert (len(row["url"]), row["data"]) == (2_000_000, deep)


def test_index_of_the_user_survives_starting_over(store, admin, table):
    admin.execute(f"CREATE INDEX mine_{table} ON {table} (price)")
    store.start("run-2")
    assert admin.execute("SELECT count(*) FROM pg_indexes WHERE indexname = %s", [f"mine_{table}"]).fetchone() == (1,)


def test_view_that_hangs_on_other_columns_is_not_dropped(store, make, admin, table, postgres_url):
    admin.execute(f"CREATE VIEW v{table} AS SELECT url FROM {table}")
    store.close()
    other = PostgresStore(postgres_url, (Column("url"),), table)
    other.open()
    with pytest.raises(SinkError, match="other objects depend on it"):
        other.start("run-2")
    other.close()
    assert admin.execute(f"SELECT * FROM v{table}").fetchall() == []


def test_extra_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install 'hybrid-scraper\[postgres\]'"):
        PostgresStore("postgresql://host/db", COLUMNS)
