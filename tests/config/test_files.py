"""The files in config/: each loads, and default.toml is the model, key for key."""

from pathlib import Path

import pytest

from scraper.cli.init import full_text
from scraper.config import Config, load_config

FOLDER = Path(__file__).parents[2] / "config"


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.toml")), ids=lambda file: file.name)
def test_config_loads(file: Path) -> None:
    assert isinstance(load_config(file), Config)


def test_default_toml_holds_every_key_with_its_default_and_reason() -> None:
    file = FOLDER / "default.toml"
    assert load_config(file) == Config()
    assert file.read_text(encoding="utf-8") == full_text(), "run: scraper init --full config/default.toml --force"


def test_demo_and_articles_say_what_a_row_holds() -> None:
    assert load_config(FOLDER / "demo.toml").fields
    assert load_config(FOLDER / "articles.toml").parse.article
