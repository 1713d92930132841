"""DuckDB alone: its types, and one process at a time."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from scraper.errors import ConfigError, SinkError
from scraper.records import Column
from scraper.write.duckdb import DuckdbStore
from scraper.write.tablerows import duckdb_encoder

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

COLUMNS = (
    Column("url"),
    Column("fetched_at", "datetime"),
    Column("price", "decimal"),
    Column("days", "date", many=True),
    Column("data", "json"),
)
ENCODE = duckdb_encoder(COLUMNS)


@pytest.fixture
def store(tmp_path):
    store = DuckdbStore(tmp_path / "pages.duckdb", COLUMNS)
    store.open()
    store.start("run-1")
    yield store
    store.close()


def test_columns_have_types_that_sql_can_use(store):
    row = {"url": "a", "fetched_at": "2026-01-02T03:04:05Z", "price": "1.5", "days": ["2024-01-01"], "data": {"a": [7]}}
    store.write([ENCODE(row)])
    store.commit(1, b"x")
    found = store._run("SELECT price * 2, days[1] = DATE '2024-01-01', data->>'$.a[0]', hour(fetched_at) FROM pages")
    assert found == [(Decimal(3), True, "7", 3)]


def test_file_is_for_one_process(store):
    code = (
        "import sys; from pathlib import Path; from scraper.write.duckdb import DuckdbStore\n"
        "DuckdbStore(Path(sys.argv[1]), ()).open()"
    )
    command = [sys.executable, "-c", code, store._path]
    other = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert "SinkError" in other.stderr
    assert "Conflicting lock is held" in other.stderr


def test_rows_survive_a_kill_between_write_and_commit(tmp_path):
    path = tmp_path / "pages.duckdb"
    code = (
        "import os, signal, sys; from pathlib import Path; from tests.write.test_duckdb import *\n"
        "from scraper import disk\n"
        "store = DuckdbStore(Path(sys.argv[1]), COLUMNS); store.open(); store.start('run-1')\n"
        "store.write([ENCODE({'url': 'a'})]); store.commit(1, b'first')\n"
        "disk.step = lambda name: name == 'duckdb.commit' and os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.write([ENCODE({'url': 'b'})]); store.commit(2, b'second')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, path], cwd=Path(__file__).parents[2])
    assert killed.returncode == -9
    store = DuckdbStore(path, COLUMNS)
    store.open()
    assert store.recover("run-1") == (1, b"first")
    store.close()
    assert [row["url"] for row in store.rows()] == ["a"]


def test_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "pages.duckdb"
    path.write_bytes(b"some text, and more of it\n" * 1000)
    with pytest.raises(SinkError, match="not a valid DuckDB database"):
        DuckdbStore(path, COLUMNS).open()
    assert path.read_bytes().startswith(b"some text")


def test_path_is_never_read_as_anything_but_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = DuckdbStore(Path(":memory:"), COLUMNS)
    store.open()
    store.start("run-1")
    store.close()
    assert (tmp_path / ":memory:").is_file()


@pytest.mark.parametrize("missing", ["duckdb", "pyarrow"])
def test_extra_that_is_not_installed_is_named(tmp_path, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=r"pip install 'hybrid-scraper\[duckdb\]'"):
        DuckdbStore(tmp_path / "pages.duckdb", COLUMNS).open()
