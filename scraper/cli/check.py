"""`scraper check`: proves a config without fetching and prints what it comes to."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scraper.cli.speak import give, tell
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
    from scraper.config.machine import auto_settings
    from scraper.models.choice import refuse_impossible

    config = load_config(file, overrides or ())
    check_plan(config, file)
    if config.fetch.ca_file or config.fetch.client_files:
        from scraper.fetch.tls import check_tls  # httpx and pyreqwest: half a second

        check_tls(config.fetch)
    check_stores(config)
    refuse_impossible(config)
    give(resolved_toml(config))
    for key, words in auto_settings(config):
        tell(f"scraper: {key} auto: {words}")


def check_stores(config: "Config") -> None:
    """Raise ConfigError for a format whose extra is not installed. Opens and connects to nothing."""
    from scraper.config import row_shape
    from scraper.places import places
    from scraper.rowform import row_form
    from scraper.stores import StoreOptions, make_stores

    write, folder = config.write, Path("output")
    columns = row_form(config, row_shape(config), {}, is_open=False).columns
    where = places(folder, write.formats, write.written_paths, write.paths)
    make_stores(where, StoreOptions(folder, columns, write.table, write.part_bytes))


def check_plan(config: "Config", file: Path | None) -> None:
    """Raise one ConfigError that lists all that is wrong with the rules, the extra and the function, one a line."""
    from scraper.parse.check import check_plan as check_parse

    try:
        with redirect_stdout(sys.stderr):  # the user's module may print while it is imported
            check_parse(config.parse_plan())
    except ConfigError as exc:
        lines = str(exc).splitlines()
        raise ConfigError("\n".join(f"{file}: {line}" if file else line for line in lines)) from None
