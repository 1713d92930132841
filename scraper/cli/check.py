"""`scraper check`: proves a config without fetching and prints what it comes to."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scraper.errors import ConfigError

if TYPE_CHECKING:
    from scraper.config import Config


def check(
    file: Annotated[Path | None, typer.Argument(help="The config file; without one the defaults are shown.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
    ] = None,
) -> None:
    """Check a config file and print all settings as a run would use them; secrets are masked."""
    from scraper.config import load_config, resolved_toml  # pydantic: not for --help

    config = load_config(file, overrides or ())
    check_plan(config, file)
    typer.echo(resolved_toml(config), nl=False)


def check_plan(config: "Config", file: Path | None) -> None:
    """Compile the rules, import the user's function and the article reader; nothing is run.

    Raises one ConfigError that lists all that is wrong, one a line.
    """
    from scraper.parse.article import load_article_reader
    from scraper.parse.function import load_function
    from scraper.parse.rules import compile_rules

    wrong = []
    for spec in config.field_specs():
        wrong += _complaints(partial(compile_rules, [spec]))
    if config.parse.function:
        wrong += _complaints(partial(load_function, config.parse.function))
    if config.parse.article:
        wrong += _complaints(load_article_reader)
    if wrong:
        raise ConfigError("\n".join(f"{file}: {line}" if file else line for line in wrong))


def _complaints(load: Callable[[], object]) -> list[str]:
    try:
        load()
    except ConfigError as exc:
        return str(exc).splitlines()
    return []
