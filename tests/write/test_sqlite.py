"""SQLite alone: the file while it is written, and what is no database."""

import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from scraper.errors import SinkError, WriteError
from scraper.records import Column
from scraper.write import sqlite
from scraper.write.sqlite import SqliteStore
from scraper.write.tablerows import sqlite_encoder

COLUMNS = (Column("url"), Column("price", "decimal"), Column("good", "bool"), Column("tags", many=True))
ENCODE = sqlite_encoder(COLUMNS)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "pages.sqlite"


@pytest.fixture
def store(path):
    store = SqliteStore(path, COLUMNS)
    store.open()
    store.start("run-1")
    yield store
    store.close()


def select(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_others_read_the_last_commit_while_rows_come(store, path):
    store.write([ENCODE({"url": "a"})])
    store.commit(1, b"x")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT url FROM pages").fetchall() == [("a",)]
        store.write([ENCODE({"url": "b"})])
        store.commit(2, b"x")
        assert reader.execute("SELECT url FROM pages").fetchall() == [("a",)]
    assert select(path, "SELECT url FROM pages") == [("a",), ("b",)]


def test_closed_store_is_one_file(store, path):
    store.commit(1, b"x")
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["pages.sqlite"]


def test_values_are_kept_exactly_as_sql_sees_them(store, path):
    store.write([ENCODE({"url": "a", "price": "1.50", "good": True, "tags": ["x", "y"]})])
    store.commit(1, b"x")
    assert select(path, "SELECT price, typeof(price), good FROM pages") == [("1.50", "text", 1)]
    assert select(path, "SELECT value FROM pages, json_each(tags)") == [("x",), ("y",)]


def test_key_is_unique(store, path):
    store.write([ENCODE({"url": "a"})])
    store.commit(1, b"x")
    with pytest.raises(sqlite3.IntegrityError, match="url_key"):
        select(path, "INSERT INTO pages (url_key, url) SELECT url_key, 'b' FROM pages")


def test_rows_survive_a_kill_between_write_and_commit(path):
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.write.test_sqlite import *\n"
        "from scraper import disk\n"
        "store = SqliteStore(Path(sys.argv[1]), COLUMNS); store.open(); store.start('run-1')\n"
        "store.write([ENCODE({'url': 'a'})]); store.commit(1, b'first')\n"
        "disk.step = lambda name: name == 'sqlite.commit' and os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.write([ENCODE({'url': 'b'})]); store.commit(2, b'second')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], cwd=Path(__file__).parents[2])
    assert killed.returncode == -9
    store = SqliteStore(path, COLUMNS)
    store.open()
    assert store.recover("run-1") == (1, b"first")
    store.close()
    assert [row["url"] for row in store.rows()] == ["a"]


def test_file_that_is_no_database_is_refused_and_left_alone(path):
    path.write_bytes(b"some text, and more of it\n" * 100)
    with pytest.raises(SinkError, match="not a database"):
        SqliteStore(path, COLUMNS).open()
    assert path.read_bytes().startswith(b"some text")


def test_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(SinkError, match=r"no/pages\.db: unable to open database file"):
        SqliteStore(tmp_path / "no" / "pages.db", COLUMNS).open()


def test_table_of_another_case_is_somebodys(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE Pages (mine TEXT)")
    store = SqliteStore(path, COLUMNS)
    store.open()
    with pytest.raises(SinkError, match="not of this program"):
        store.start("run-1")
    store.close()
    assert select(path, "SELECT * FROM Pages") == []


def test_program_that_holds_the_file_too_long_is_an_error(path, store, monkeypatch):
    store._run("PRAGMA busy_timeout = 10")
    store.write([ENCODE({"url": "a"})])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WriteError, match="database is locked; what was committed is safe"):
            store.commit(1, b"x")
    store.commit(1, b"x")
    assert sqlite.BUSY_S >= 5


def test_index_of_the_user_survives_starting_over(store, path):
    store._run("CREATE INDEX mine ON pages (price)")
    store.start("run-2")
    assert select(path, "SELECT count(*) FROM sqlite_master WHERE name = 'mine'") == [(1,)]


def test_a_commit_runs_a_statement_a_row_and_three_more(store):
    statements: list[str] = []
    store._database.set_trace_callback(statements.append)
    store.write([ENCODE({"url": str(number)}) for number in range(100)])
    store.commit(1, b"x")
    words = Counter(statement.split()[0] for statement in statements)
    assert words == {"BEGIN": 1, "INSERT": 100, "UPDATE": 1, "COMMIT": 1}
