"""Rows of a run in another form: from every store into every other, what a run itself would have written."""

import csv
import json
import sqlite3
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from scraper.errors import ScraperError, SinkError, UsageError
from scraper.export import Export, export_rows
from scraper.journal import Commit, pack_keys
from scraper.records import Column
from scraper.write.compressed import open_compressed
from scraper.write.encode import jsonl_row
from scraper.write.encoders import row_encoder
from tests.runs import make_run, number_of, page_row, session, write_journal

FIELDS = [
    f"fields.{name}={{css='b',type='{type}'}}"
    for name, type in {
        "title": "str",
        "price": "decimal",
        "count": "int",
        "ratio": "float",
        "good": "bool",
        "on": "date",
        "at": "datetime",
        "data": "json",
    }.items()
] + [
    "fields.tags={css='b',many=true}",
    "fields.sizes={css='b',type='decimal',many=true}",
    "fields.days={css='b',type='date',many=true}",
]
ROWS = [
    page_row(
        "http://a/é?q=1",
        title='=1+1 "quoted",\nline \U0001f98a',
        price=Decimal("1234567890.123456789012345678"),
        count=-(2**63),
        ratio=-1.5,
        good=False,
        on=date(1, 1, 1),
        at=datetime(2024, 2, 29, 12, 30, 0, 5),
        data={"a": [1, None, {"b": "x"}], "d": Decimal("1.50")},
        tags=["a,b", "", None, "'c'"],
        sizes=[Decimal("0.1"), None],
        days=[date(2024, 2, 29)],
    ),
    page_row("http://b/", **dict.fromkeys(("title", "price", "count", "ratio", "good", "on", "at", "data")))
    | {"tags": [], "sizes": [], "days": []},
    page_row("http://c/", close_delimited=True, title="x", price=Decimal("54.00"), count=0, ratio=0.0, good=True)
    | {"on": None, "at": None, "data": "text", "tags": ["x"], "sizes": [Decimal("2")], "days": []},
]
FORMATS = ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "csv.zst", "parquet", "sqlite", "duckdb"]
SOURCES = ["jsonl.zst", "csv.gz", "parquet", "sqlite", "duckdb"]


def needed(format: str) -> None:
    for name in {"parquet": ["pyarrow"], "duckdb": ["duckdb", "pyarrow"]}.get(format, []):
        pytest.importorskip(name, reason=f"{format} needs it")


def content(path: Path, format: str) -> Any:
    """All that a reader sees of an output: types, and rows. Numbers of JSON with their digits."""
    kind, _, compression = format.partition(".")
    match kind:
        case "jsonl":
            with open_compressed(path, compression) as lines:
                return [json.loads(line, parse_float=Decimal) for line in lines]
        case "csv":
            with open_compressed(path, compression) as lines:
                return list(csv.reader(lines.read().decode().splitlines(keepends=True)))
        case "parquet":
            from pyarrow import parquet

            table = parquet.read_table(path)
            return table.schema, table.to_pylist()
        case "sqlite":
            with closing(sqlite3.connect(path)) as base:
                return base.execute("PRAGMA table_info(pages)").fetchall(), base.execute(
                    "SELECT * FROM pages"
                ).fetchall()
        case _:
            import duckdb

            with duckdb.connect(str(path), read_only=True) as base:
                return base.execute("DESCRIBE pages").fetchall(), base.execute("SELECT * FROM pages").fetchall()


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("source", SOURCES)
def test_exported_rows_are_those_that_a_run_would_have_written(tmp_path, source, target):
    needed(source)
    needed(target)
    make_run(tmp_path / "source", ROWS, f"write.format={source}", *FIELDS)
    make_run(tmp_path / "native", ROWS, f"write.format={target}", *FIELDS)
    done = export_rows(Export(tmp_path / "source", target))
    assert (done.rows, Path(done.target)) == (len(ROWS), tmp_path / "source" / f"export.{target}")
    found, wanted = content(Path(done.target), target), content(tmp_path / "native" / f"pages.{target}", target)
    if source in ("parquet", "duckdb"):
        found, wanted = (
            loose(found),
            loose(wanted),
        )  # their decimals have a fixed number of digits: zeros are lost
    assert found == wanted
    assert sorted(path.name for path in (tmp_path / "source").glob("export*")) == [f"export.{target}"]


def loose(content: Any) -> Any:
    """With each number in its shortest form."""
    if isinstance(content, (list, tuple)):
        return [loose(item) for item in content]
    if isinstance(content, dict):
        return {key: loose(value) for key, value in content.items()}
    if isinstance(content, Decimal):
        return content.normalize()
    return str(content).replace("54.00", "54") if isinstance(content, str) else content


def test_columns_of_json_lines_come_from_the_fields_and_from_what_the_rows_bring(tmp_path):
    rows = [page_row("http://a/", id=7, note="x", price=Decimal("1.50")), page_row("http://b/", id=8, tags=["a"])]
    make_run(tmp_path, rows, "fields.price={css='b',type='decimal'}")
    export_rows(Export(tmp_path, "sqlite"))
    columns, found = content(tmp_path / "export.sqlite", "sqlite")
    names = ["url_key", "url", "final_url", "status", "fetched_at", "close_delimited", "id", "note", "tags", "price"]
    assert [column[1] for column in columns] == names
    assert [row[6:] for row in found] == [(7, "x", None, "1.50"), (8, None, '["a"]', None)]


def test_what_is_not_committed_is_not_exported(tmp_path):
    make_run(tmp_path, ROWS[:1], *FIELDS)
    with (tmp_path / "pages.jsonl").open("ab") as file:
        file.write(jsonl_row(ROWS[1]) + b'{"url":"http://half/a/row')
    assert export_rows(Export(tmp_path, "csv")).rows == 1


def test_rows_staged_for_a_part_are_exported_up_to_the_committed_byte(tmp_path):
    needed("parquet")
    columns = (Column("url"), Column("price", "decimal"), Column("on", "date"))
    encode = row_encoder("parquet", columns)
    staged = encode({"url": "http://a/", "price": Decimal("1.5"), "on": date(2024, 1, 2)})
    shape = {"format": ["parquet"], "columns": {"url": "str", "price": "decimal", "on": "date"}}
    commit = Commit(1, {"pages.parquet.rows": len(staged)}, {"ok": pack_keys([1])})
    write_journal(tmp_path, session(), commit, shape=shape)
    (tmp_path / "pages.parquet.rows").write_bytes(staged + staged[:10])
    export_rows(Export(tmp_path, "jsonl"))
    (row,) = content(tmp_path / "export.jsonl", "jsonl")
    assert row == {"url": "http://a/", "price": Decimal("1.5"), "on": "2024-01-02"}


def test_of_a_url_scraped_again_only_the_last_row_counts(tmp_path):
    first, second, third = ("http://a/", "http://b/", "http://c/")
    lines = [page_row(first, n=1), page_row(second, n=2), page_row(first, n=3), page_row(third, n=4)]
    data = b"".join(map(jsonl_row, lines))
    keys = list(map(number_of, (first, second, third)))
    commits = [
        Commit(1, {}, {"ok": pack_keys(keys)}),
        Commit(2, {"pages.jsonl": len(data)}, {}, again={"ok": pack_keys(keys[:1]), "dns": pack_keys(keys[1:2])}),
    ]
    write_journal(tmp_path, session(), *commits)
    (tmp_path / "pages.jsonl").write_bytes(data)
    export_rows(Export(tmp_path, "jsonl", str(tmp_path / "new.jsonl")))
    assert [row["n"] for row in content(tmp_path / "new.jsonl", "jsonl")] == [3, 4]


def test_parts_behind_a_url_are_fetched(tmp_path):
    pytest.importorskip("fsspec", reason="URLs need it")
    where = f"write.path='file://{tmp_path}/far/'"
    make_run(tmp_path / "run", ROWS, "write.format=jsonl.gz", where, "write.part_bytes=1KiB", *FIELDS)
    assert list((tmp_path / "far").glob("part-*"))
    assert export_rows(Export(tmp_path / "run", "jsonl")).rows == len(ROWS)


def test_postgres_takes_the_rows_and_gives_them_back(tmp_path, postgres_url, monkeypatch):
    psycopg = pytest.importorskip("psycopg", reason="postgres needs it")
    monkeypatch.setenv("EXPORT_PASSWORD", unquote(secret_of(postgres_url)))
    make_run(tmp_path, ROWS, *FIELDS)
    export_rows(to_table(tmp_path, postgres_url.replace(secret_of(postgres_url), "$EXPORT_PASSWORD")))
    with psycopg.connect(postgres_url) as base:
        found = base.execute("SELECT url, price, tags, days, data::text FROM exported ORDER BY url").fetchall()
        tables = [name for (name,) in base.execute("SELECT relname FROM pg_class WHERE relname LIKE 'exported%'")]
    assert found[0][:2] == ("http://a/é?q=1", Decimal("1234567890.123456789012345678"))
    assert found[0][2:4] == (["a,b", "", None, "'c'"], [date(2024, 2, 29)])
    assert "exported" in tables
    assert "exported_journal" not in tables
    with pytest.raises(UsageError, match="exists already"):
        export_rows(to_table(tmp_path, postgres_url))
    assert export_rows(to_table(tmp_path, postgres_url, force=True)).rows == len(ROWS)


def test_rows_of_a_run_into_postgres_are_exported(tmp_path, postgres_url, monkeypatch):
    pytest.importorskip("psycopg", reason="postgres needs it")
    monkeypatch.setenv("EXPORT_PASSWORD", unquote(secret_of(postgres_url)))
    where = postgres_url.replace(secret_of(postgres_url), "$EXPORT_PASSWORD")
    settings = ("write.format=postgres", f"write.path={where}", "write.table=of_a_run")
    make_run(tmp_path, ROWS, *settings, *FIELDS)
    make_run(tmp_path / "native", ROWS, *FIELDS)
    done = export_rows(Export(tmp_path, "jsonl"))
    found = sorted(content(tmp_path / "export.jsonl", "jsonl"), key=lambda row: str(row["url"]))
    assert found == content(tmp_path / "native" / "pages.jsonl", "jsonl")
    assert "secret" not in done.source
    with pytest.raises(UsageError, match="holds the rows of a run"):
        export_rows(Export(tmp_path, "postgres", postgres_url, "of_a_run", force=True))


def secret_of(url: str) -> str:
    return str(urlsplit(url).password)


def to_table(folder: Path, url: str, *, force: bool = False) -> Export:
    return Export(folder, "postgres", url, "exported", force)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "output", "words"),
    [
        ("parket", None, "did you mean 'parquet'"),
        ("excel", None, "expected one of jsonl"),
        ("warc", None, "an archive holds replies"),
        ("csv", "run/pages.jsonl", "is a file of the run itself"),
        ("csv", "run/journal", "is a file of the run itself"),
        ("csv", "run", "is a folder"),
        ("csv", "nowhere/a.csv", "make it first"),
        ("csv", "there.csv", "exists already"),
        ("postgres", None, "needs its server"),
        ("postgres", "postgresql://u:$NOT_SET@h/d", "NOT_SET"),
    ],
)
def test_export_that_cannot_be_is_refused_and_nothing_changes(tmp_path, monkeypatch, format, output, words):
    monkeypatch.chdir(tmp_path)
    make_run(Path("run"), ROWS, *FIELDS)
    Path("there.csv").write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ScraperError, match=words):
        export_rows(Export(Path("run"), format, output))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_force_replaces_a_file_but_never_one_of_the_run(tmp_path):
    make_run(tmp_path, ROWS, *FIELDS)
    (tmp_path / "export.csv").write_text("old")
    assert export_rows(Export(tmp_path, "csv", force=True)).rows == len(ROWS)
    with pytest.raises(UsageError, match="is a file of the run itself"):
        export_rows(Export(tmp_path, "jsonl", str(tmp_path / "failures.jsonl"), force=True))


def test_archive_alone_is_named_with_the_command_that_reads_it(tmp_path):
    write_journal(tmp_path, session(), shape={"format": ["warc"]})
    with pytest.raises(UsageError, match=r"scraper run .*pages\.warc\.gz -o OTHER"):
        export_rows(Export(tmp_path, "csv"))


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet", "sqlite"])
def test_failure_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, format):
    needed(format)
    make_run(tmp_path, ROWS, *FIELDS)
    with (tmp_path / "pages.jsonl").open("r+b") as file:
        file.seek(-20, 2)
        file.write(b"\x00")
    target = tmp_path / f"export.{format}"
    target.write_text("old")
    with pytest.raises(SinkError, match="was it changed by hand"):
        export_rows(Export(tmp_path, format, force=True))
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.glob("export*")] == [target.name]


def test_run_without_rows_gives_a_file_without_rows(tmp_path):
    make_run(tmp_path, [], *FIELDS)
    assert export_rows(Export(tmp_path, "csv")).rows == 0
    assert len(content(tmp_path / "export.csv", "csv")) == 1


def test_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(SinkError, match="no run has written here"):
        export_rows(Export(tmp_path, "csv"))
    assert msgspec.json.encode(list(tmp_path.iterdir())) == b"[]"
