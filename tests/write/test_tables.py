"""Keys, names, verdicts and encoded rows: what the database stores decide without a database."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec
import pytest

from scraper.errors import ConfigError, SinkError
from scraper.records import Column
from scraper.write.columns import DoesNotFitError
from scraper.write.dsn import read_dsn
from scraper.write.tablerows import copy_line, duckdb_encoder, plain, postgres_encoder, sqlite_encoder
from scraper.write.tables import (
    KEY_BYTES,
    Definition,
    Found,
    Pending,
    definitions,
    framed,
    last_commit,
    quoted,
    refuse_foreign,
    refuse_names,
    row_of,
    url_key,
)

COLUMNS = (Column("url"), Column("n", "int"))
DEFINED = (Definition("url", "TEXT"), Definition("n", "BIGINT"))


def test_key_is_signed_64_bits_of_the_text_as_written():
    keys = {url_key(f"http://a/{number}") for number in range(1000)}
    assert len(keys) == 1000
    assert min(keys) < 0 < max(keys)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert url_key("http://a/") != url_key("HTTP://a/")
    assert url_key("\ud800") != url_key("?")


def test_pending_keeps_the_later_row_of_a_url():
    pending = Pending()
    pending.put([framed("a", b"1"), framed("b", b"2"), framed("a", b"3")])
    assert pending.rows == {url_key("a"): b"3", url_key("b"): b"2"}


def test_pending_forgets_what_waits_and_what_is_stored():
    pending = Pending()
    pending.put([framed("a", b"1"), framed("b", b"2")])
    pending.forget(["a", "c"])
    pending.put([framed("c", b"3")])
    assert pending.rows == {url_key("b"): b"2", url_key("c"): b"3"}
    assert pending.gone == {url_key("a"), url_key("c")}
    pending.clear()
    assert (pending.rows, pending.gone) == ({}, set())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found(), None),
        (Found(True, True, DEFINED), None),
        (Found(True, True, DEFINED, "run", 0, b""), None),
        (Found(True, True, DEFINED, "other", 0, b""), None),
        (Found(True, True, DEFINED, "run", 3, b"x"), (3, b"x")),
        (Found(True, True, (Definition("mine", "TEXT"), *DEFINED), "run", 3, b"x"), (3, b"x")),
    ],
)
def test_last_commit_of_a_run(found, expected):
    assert last_commit("db", "pages", found, "run", DEFINED) == expected


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Found(has_table=True), "a table pages that is not of this program"),
        (Found(has_journal=True), "a table pages_journal that is not of this program"),
        (Found(True, True, DEFINED, "other", 3, b"x"), "holds rows of another run"),
        (Found(True, True, DEFINED[:1], "run", 3, b"x"), r"lacks n \(BIGINT\)"),
        (Found(True, True, (DEFINED[0], Definition("n", "TEXT")), "run", 3, b"x"), r"lacks n \(BIGINT\)"),
    ],
)
def test_tables_that_are_not_the_runs_are_refused(found, words):
    with pytest.raises(SinkError, match=f"^db: .*{words}"):
        last_commit("db", "pages", found, "run", DEFINED)


def test_starting_over_asks_only_whose_the_tables_are():
    refuse_foreign("db", "pages", Found())
    refuse_foreign("db", "pages", Found(True, True, (), "other", 3, b"x"))
    with pytest.raises(SinkError):
        refuse_foreign("db", "pages", Found(has_table=True))


def test_types_of_columns():
    types = {"str": "T", "datetime": "D"}
    columns = [Column("fetched_at", "datetime"), Column("at", "datetime"), Column("tags", many=True)]
    found = definitions(columns, types, instant="I", many="list({})")
    assert [column.type for column in found] == ["I", "D", "list(T)"]


@pytest.mark.parametrize(("name", "sql"), [("a", '"a"'), ('a"; DROP TABLE b; --', '"a""; DROP TABLE b; --"')])
def test_names_cannot_end_their_quotes(name, sql):
    assert quoted(name) == sql


@pytest.mark.parametrize("table", ["", "a\0", "x" * 56, "ö" * 28])
def test_table_name_that_cannot_be_is_refused(table):
    with pytest.raises(SinkError, match=r"^write.table: "):
        refuse_names("db", table, COLUMNS, folds=True, most_bytes=63)


def test_column_name_is_measured_in_bytes():
    refuse_names("db", "pages", [Column("ö" * 31)], folds=True, most_bytes=63)
    with pytest.raises(SinkError, match="longer than 63 bytes"):
        refuse_names("db", "pages", [Column("ö" * 32)], folds=True, most_bytes=63)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, rb"\N"),
        ("", b""),
        (r"\N", rb"\\N"),
        (r"\.", rb"\\."),
        ("a\tb\nc\rd", rb"a\tb\nc\rd"),
        ("a\0b", "a\ufffdb".encode()),
        ("\x0b\x0c\x08", b"\x0b\x0c\x08"),
        (True, b"t"),
        (False, b"f"),
        (-7, b"-7"),
        (1e300, b"1e+300"),
        (float("nan"), b"nan"),
        (Decimal("1E+3"), b"1000"),
        (Decimal("-0.000000000000000001"), b"-0.000000000000000001"),
        (date(7, 1, 2), b"0007-01-02"),
        (datetime(2024, 1, 2, 3, 4, tzinfo=UTC), b"2024-01-02T03:04:00Z"),
        ([], b"{}"),
        (["", None, "NULL"], b'{"",NULL,"NULL"}'),
        (["a,b", "{}", 'q"', "\\", "\n"], rb'{"a,b","{}","q\\"","\\\\","\n"}'),
        ([1, True, Decimal("1.50")], b'{"1","t","1.50"}'),
    ],
)
def test_cell_of_copy(value, cell):
    assert copy_line([value]) == cell + b"\n"


def test_encoded_row_is_its_key_and_its_values():
    row = {"url": "http://a/", "n": 7}
    key = url_key("http://a/").to_bytes(KEY_BYTES, "big", signed=True)
    assert postgres_encoder(COLUMNS)(row) == key + b"http://a/\t7\n"
    for encoder in (sqlite_encoder, duckdb_encoder):
        encoded = encoder(COLUMNS)(row)
        assert encoded[:KEY_BYTES] == key
        assert msgspec.msgpack.decode(encoded[KEY_BYTES:]) == ["http://a/", 7]


def test_lists_are_json_text_for_sqlite_alone():
    columns = [Column("sizes", "decimal", many=True)]
    row = {"url": "u", "sizes": [Decimal("1.50"), None]}
    assert msgspec.msgpack.decode(sqlite_encoder(columns)(row)[KEY_BYTES:]) == ["[1.50,null]"]
    assert msgspec.msgpack.decode(duckdb_encoder(columns)(row)[KEY_BYTES:]) == [["1.50", None]]


@pytest.mark.parametrize("encoder", [sqlite_encoder, duckdb_encoder, postgres_encoder])
def test_value_that_does_not_fit_is_an_error_of_its_row(encoder):
    with pytest.raises(DoesNotFitError, match="n: 'x'"):
        encoder(COLUMNS)({"url": "u", "n": "x"})


@pytest.mark.parametrize("value", ["a", 1, 1.5, True, None])
def test_plain_values_are_left_alone(value):
    assert plain(value) is value


def test_key_without_a_column_is_a_key_again():
    columns = [Column("url"), Column("other", "json")]
    assert row_of(["u", '{"a":1.50}'], columns) == {"url": "u", "a": Decimal("1.50")}
    assert row_of(["u", None], columns) == {"url": "u"}


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://me:sec@ret@host/db",
        "postgresql://me:sec/ret@host/db",
        "postgresql://me:secret@host:port/db?no=such",
        "postgresql://me:123/secret@host/db",
        "password=secret nonsense",
        "secret",
        "postgresql://[secret",
    ],
)
def test_connection_that_cannot_be_read_shows_nothing_of_it(dsn):
    pytest.importorskip("psycopg")
    with pytest.raises(ConfigError, match=r"^write.path: cannot be read as a PostgreSQL connection") as caught:
        read_dsn(dsn, {})
    assert not any(piece in str(caught.value) for piece in ("sec@", "sec/", "secret", "ret@"))


@pytest.mark.parametrize(
    ("dsn", "environ", "shown"),
    [
        ("postgresql://me:secret@db.example:5433/shop", {}, "db.example/shop"),
        ("host=/run/postgresql dbname=shop password=secret", {}, "/run/postgresql/shop"),
        ("postgresql:///shop", {"PGHOST": "db"}, "db/shop"),
        ("postgresql://", {"PGHOST": "db", "PGDATABASE": "x"}, "db/x"),
        ("", {}, "localhost"),
    ],
)
def test_server_is_shown_by_host_and_database(dsn, environ, shown):
    pytest.importorskip("psycopg")
    assert read_dsn(dsn, environ).shown == shown


def test_what_the_user_says_of_a_connection_counts():
    pytest.importorskip("psycopg")
    assert read_dsn("", {}).parameters["connect_timeout"] == "15"
    assert "connect_timeout" not in read_dsn("", {"PGCONNECT_TIMEOUT": "3"}).parameters
    assert read_dsn("connect_timeout=7 keepalives_idle=9", {}).parameters["connect_timeout"] == "7"
    assert read_dsn("keepalives_idle=9", {}).parameters["keepalives_idle"] == "9"


def test_secrets_are_hidden_in_what_a_server_says():
    pytest.importorskip("psycopg")
    server = read_dsn("postgresql://me:p%40ss@host/db", {})
    assert server.without_secrets("no p@ss here") == "no *** here"
