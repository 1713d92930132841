"""`scraper init`: a file that works at once, and never over another."""

import re
from pathlib import Path

import pytest

from scraper.cli.check import check
from scraper.cli.init import init, starter_text
from scraper.config import Config, load_config
from scraper.errors import UsageError


def test_starter_file_loads_and_passes_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.toml"
    init(file)
    check(file)
    assert list(load_config(file).fields) == ["title", "heading", "description", "links"]
    shown = capsys.readouterr()
    assert f"wrote {file}" in shown.err
    assert shown.out.startswith("[run]\n")


def test_starter_file_shows_the_defaults_outside_its_fields(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    init(file)
    assert load_config(file).model_copy(update={"fields": {}}) == Config()


def test_every_example_in_the_starter_file_works_when_uncommented(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    text = re.sub(r"^# (?=\w+ = )", "", starter_text(file), flags=re.MULTILINE)
    file.write_text(text, encoding="utf-8")
    check(file)
    config = load_config(file)
    assert {"price", "sku", "images"} <= config.fields.keys()
    assert config.parse.article
    assert config.politeness.contact


def test_starter_file_names_itself_in_its_comments() -> None:
    assert "scraper run urls.txt -c shop.toml" in starter_text(Path("shop.toml"))


def test_full_file_is_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "all.toml"
    init(file, full=True)
    assert load_config(file) == Config()


def test_existing_file_is_left_alone_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(f"{file}: exists already") + ".*--force"):
        init(file)
    assert file.read_text(encoding="utf-8") == "mine"
    init(file, force=True)
    assert load_config(file).fields


def test_unwritable_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none/my\.toml: cannot be written: No such file or directory"):
        init(tmp_path / "none" / "my.toml")
    with pytest.raises(UsageError, match="cannot be written: Is a directory"):
        init(tmp_path, force=True)
