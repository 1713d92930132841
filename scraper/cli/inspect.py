"""`scraper inspect URL`: what each rule of a config finds on one page."""

import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scraper.cli.speak import drawn, give, tell

if TYPE_CHECKING:
    from rich.console import RenderableType

    from scraper.config import Config
    from scraper.inspection import Inspection

SHOWN_CHARS = 300


def inspect(
    url: Annotated[str, typer.Argument(metavar="URL", help="The page, or a file with its HTML (as in bodies/).")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the row as JSON to standard output.")] = False,
) -> None:
    """Fetch one page and show what each rule finds in it. Nothing is written; exit code 1 where it gives no row."""
    from scraper.config import load_config

    settings = load_config(config, overrides or ())
    with redirect_stdout(sys.stderr):  # the user's function may print
        found = _look(settings, url)
    if not as_json:
        give(_tables(found))
    elif found.fault is None:
        give(_json_row(found))
    if found.fault is not None:
        tell(f"no row: {found.fault.kind}: {found.fault.message}")
        raise typer.Exit(1)


def _look(settings: "Config", url: str) -> "Inspection":
    from scraper import loop
    from scraper.inspection import inspect_page, inspect_url
    from scraper.records import Page

    path = Path(url)
    if "://" not in url and path.is_file():
        body = path.read_bytes()
        page = Page(path.as_uri() if path.is_absolute() else url, f"file:{url}", 200, "", body, time.time())
        return loop.run(inspect_page(settings, page, []))
    return loop.run(inspect_url(settings, url))


def _json_row(found: "Inspection") -> str:
    from scraper.write.encode import jsonl_row

    return jsonl_row({item.name: item.value for item in found.found}).decode()


def _tables(found: "Inspection") -> str:
    from rich.table import Table
    from rich.text import Text

    things: list[RenderableType] = [Text(f"{hop.url}\n  {hop.answer}") for hop in found.hops]
    if found.charset:
        things.append(f"  charset: {found.charset}")
    table = Table("field", "selector", "matches", "value")
    for item in found.found:
        matches = "" if item.matches is None else str(item.matches)
        table.add_row(Text(item.name), Text(item.css), matches, Text(shown_value(item.value)))
    return drawn(*things, *([table] if found.found else []))


def shown_value(value: Any) -> str:
    """A value on a few lines: text as it is, the rest as JSON, long ones cut."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}… ({len(text):,} characters)"
