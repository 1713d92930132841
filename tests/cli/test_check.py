"""`scraper check`: all settings as a run would use them, or every mistake at once."""

import sys
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scraper.cli.check import check
from scraper.cli.init import init
from scraper.config import Config, resolved_toml
from scraper.errors import ConfigError

CONFIG = Path(__file__).parents[2] / "config"


def write(folder: Path, text: str) -> Path:
    file = folder / "my.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    check()
    assert capsys.readouterr().out == resolved_toml(Config())


def test_settings_of_the_command_line_are_in_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    check(CONFIG / "demo.toml", ["fetch.concurrency=7", "fetch.headers.Cookie=s3cret"])
    shown = tomllib.loads(capsys.readouterr().out)
    assert (shown["fetch"]["concurrency"], shown["fetch"]["headers"]["Cookie"]) == (7, "***")


@pytest.mark.parametrize("file", sorted(CONFIG.glob("*.toml")), ids=lambda file: file.name)
def test_shipped_config_passes(file: Path) -> None:
    if "article" in file.name:
        pytest.importorskip("trafilatura", reason="needs the extra: article")
    check(file)


def test_selector_pattern_and_function_are_all_tried(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[fields]\na = "p["\nb = { css = "p", regex = "(" }\n[parse]\nfunction = "no_such_module_here:extract"\n',
    )
    with pytest.raises(ConfigError) as caught:
        check(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    assert any("fields.a.css" in line for line in lines)
    assert any("fields.b.regex" in line for line in lines)
    assert any("no_such_module_here" in line for line in lines)


def test_function_of_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules_of_this_test.py").write_text("def extract(page, tree):\n    return {}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    check(None, ["parse.function=rules_of_this_test:extract"])


def test_commands_read_their_options(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(init)
    app.command()(check)
    file = tmp_path / "my.toml"
    assert CliRunner().invoke(app, ["init", str(file), "--full", "--force"]).exit_code == 0
    shown = CliRunner().invoke(app, ["check", str(file), "--set", "fetch.retries=1", "--set", "fields.a=p"])
    assert shown.exit_code == 0
    assert "retries = 1\n" in shown.output
    assert 'a = "p"\n' in shown.output


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["run.model=processes", "fetch.cookies=true"], "fetch.cookies: run.model"),
        (["run.model=sharded", "politeness.by=address"], 'politeness.by = "address": run.model'),
    ],
)
def test_what_a_model_cannot_do_is_told_as_by_run(settings: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(None, settings)


@pytest.mark.parametrize(
    ("module", "settings", "words"),
    [
        ("pyarrow", ["write.format=parquet"], "hybrid-scraper\\[parquet\\]"),
        ("duckdb", ["write.format=duckdb"], "hybrid-scraper\\[duckdb\\]"),
        ("psycopg", ["write.format=postgres", "write.path=postgresql://127.0.0.1/x"], "hybrid-scraper\\[postgres\\]"),
        ("fsspec", ["write.path=s3://bucket/rows/"], "hybrid-scraper\\[s3\\]"),
    ],
)
def test_extra_that_is_missing_is_told_as_by_run(
    monkeypatch: pytest.MonkeyPatch, module: str, settings: list[str], words: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for name in ("parquet", "duckdb", "postgres", "remote"):
        monkeypatch.delitem(sys.modules, f"scraper.write.{name}", raising=False)
    with pytest.raises(ConfigError, match=words):
        check(None, settings)
