"""Every form of rows in a whole run: the same rows everywhere, and a resume that keeps to what was begun."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

FORMATS = ("jsonl", "jsonl.gz", "csv.zst", "parquet", "sqlite", "warc")
FIELDS = (
    "--set",
    "fields.name=h1",
    "--set",
    'fields.price={ css = ".price", type = "decimal" }',
    "--set",
    'fields.stars={ css = ".review", attr = "data-stars", type = "int", many = true }',
)


def rows_of(cli, source: str, target: str = "rows.jsonl") -> list[dict]:
    """The rows of a run as `scraper export` gives them."""
    result = cli("export", source, "--to", "jsonl", "-o", target, "--force")
    assert result.code == 0, result.err
    lines = (cli.folder / target).read_text().splitlines()
    return sorted((json.loads(line, parse_float=Decimal) for line in lines), key=lambda row: row["url"])


@pytest.fixture
def listed(cli, site) -> str:
    return cli.write_list(site.urls[:60])


def test_all_forms_at_once_have_the_same_rows(cli, listed):
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    formats = f"write.format={json.dumps(FORMATS)}"
    result = cli("run", listed, *FIELDS, "--no-progress", "--set", formats, "--set", "write.part_bytes=2KiB")
    assert result.code == 0, result.err
    wanted = sorted(cli.rows(), key=lambda row: row["url"])
    assert len(wanted) == 60
    assert sum(len(row["stars"]) for row in wanted) > 60
    names = {path.name for path in (cli.folder / "output").iterdir()}
    assert names == {
        "pages.jsonl",
        "pages.jsonl.gz",
        "pages.csv.zst",
        "pages.parquet",
        "pages.sqlite",
        "pages.warc.gz",
        "failures.jsonl",
        "summary.json",
        "telemetry.json",
        "journal",
    }
    assert "nothing to do" in cli("run", listed, *FIELDS, "--set", formats).err
    told = cli("status", "output")
    assert told.out.count("60 rows") >= 5, told.out


@pytest.mark.parametrize("format", ["csv.gz", "parquet", "sqlite", "duckdb"])
def test_limited_run_is_taken_up_and_gives_the_rows_of_any_other(cli, listed, format):
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    once = (*FIELDS, "--no-progress", "--set", f"write.format={format}", "--set", "write.part_bytes=2KiB")
    assert cli("run", listed, *once, "--limit", "20").code == 0
    result = cli("run", listed, *once)
    assert "input 60 = 60 ok (20 of them done earlier)" in result.err
    assert cli("run", listed, *FIELDS, "-o", "plain").code == 0
    dated = [{**row, "fetched_at": ""} for row in rows_of(cli, "output")]
    plain = [{**row, "fetched_at": ""} for row in rows_of(cli, "plain")]
    for row in dated:
        if not row.get("close_delimited"):
            row.pop("close_delimited", None)
    assert dated == plain


def test_rows_go_where_the_path_says_and_the_journal_stays(cli, listed):
    places = ["elsewhere/", f"file://{cli.folder}/bucket/"]
    (cli.folder / "elsewhere").mkdir()
    formats = ("--set", 'write.format=["csv", "jsonl.gz"]', "--set", f"write.path={json.dumps(places)}")
    result = cli("run", listed, *FIELDS, *formats, "--no-progress")
    assert result.code == 0, result.err
    assert sorted(path.name for path in Path(cli.folder, "output").iterdir()) == [
        "failures.jsonl",
        "journal",
        "summary.json",
        "telemetry.json",
    ]
    assert [path.name for path in Path(cli.folder, "elsewhere").iterdir()] == ["pages.csv"]
    assert [path.name for path in Path(cli.folder, "bucket").iterdir()] == ["part-00000.jsonl.gz"]
    other = cli("run", listed, *FIELDS, *formats, "-o", "other", "--no-progress")
    assert other.code == 2
    assert "holds rows but no journal" in other.err
    assert [path.name for path in Path(cli.folder, "bucket").iterdir()] == ["part-00000.jsonl.gz"], "another run's"


def test_number_of_any_size_that_nobody_declared_is_kept(cli, site):
    source = cli.write_list(site.urls[:2])
    function = "def f(page, tree):\n    return {'n': 2**70}\n"
    (cli.folder / "mine.py").write_text(function)
    fields = ("--set", 'fields.m={ css = "h1", length = true }', "--set", "parse.function=mine:f")
    assert cli("run", source, *fields, "--set", "write.format=sqlite").code == 0
    assert rows_of(cli, "output")[0]["n"] == 2**70, "what nobody declared is JSON text"


def test_run_into_postgres_is_resumed_and_its_table_belongs_to_it(cli, listed, postgres_url, monkeypatch):
    head, _, rest = postgres_url.partition("://")
    user, _, host = rest.rpartition("@")
    name, _, password = user.partition(":")
    from urllib.parse import unquote

    monkeypatch.setenv("DATABASE_PASSWORD", unquote(password))
    path = f"{head}://{name}:$DATABASE_PASSWORD@{host}" if password else postgres_url
    once = (*FIELDS, "--no-progress", "--set", "write.format=postgres", "--set", f"write.path={path}")
    once += ("--set", "write.table=run_of_a_test")
    assert cli("run", listed, *once, "--limit", "20").code == 0
    result = cli("run", listed, *once)
    assert "input 60 = 60 ok (20 of them done earlier)" in result.err
    assert len(rows_of(cli, "output")) == 60
    other = cli("run", listed, *once, "-o", "other")
    assert (other.code, "another run" in other.err) == (2, True), other.err
    assert unquote(password) not in (cli.folder / "output" / "journal").read_text()
