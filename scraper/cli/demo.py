"""`scraper demo`: the practice site and a run over it, to see the whole thing work."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scraper.config import Config
    from scraper.site.options import SiteOptions

SHOWN_ROWS = 5
SHOWN_COLUMNS = ("title", "kind", "price", "rating", "author", "published")


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The output folder.")] = Path("output/demo"),
    pages: Annotated[int, typer.Option(min=1, help="Pages to scrape.")] = 500,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
) -> None:
    """Serve the practice site on a free port of this machine and scrape it, with a few misbehaving pages."""
    from scraper.cli.live import scrape_with_progress
    from scraper.cli.run import report
    from scraper.config import load_config
    from scraper.session import Request
    from scraper.site.options import SiteOptions
    from scraper.site.server import running_site

    settings = load_config(config, ()) if config else demo_config()
    options = SiteOptions(
        pages=pages, latency_s=0.02, jitter_s=0.01, not_found=0.01, flaky=0.02, cut=0.01, redirect=0.03
    )
    with running_site(options) as site:
        typer.echo(f"the practice site is at {site.url}/ with {pages:,} pages", err=True)
        request = Request([str(write_list(output, options, site.url))], output, fresh=True)
        outcome = scrape_with_progress(settings, request, progress=True)
    show_rows(first_rows(outcome.files["rows"], SHOWN_ROWS))
    report(outcome)


def write_list(output: Path, options: "SiteOptions", base: str) -> Path:
    """Write the site's pages as a URL list beside the rows. Raises SinkError where that cannot be done."""
    from scraper.errors import SinkError
    from scraper.site.pagemap import PageMap

    try:
        output.mkdir(parents=True, exist_ok=True)
        path = output / "urls.txt"
        path.write_bytes(b"".join(PageMap(options.pages).urls_txt(base)))
    except OSError as exc:
        raise SinkError(f"{exc.filename or output}: cannot be written: {exc.strerror}") from exc
    return path


def demo_config() -> "Config":
    """The config of the demo, as config/demo.toml has it."""
    from importlib.resources import as_file, files

    from scraper.config import load_config

    with as_file(files("scraper.cli") / "demo.toml") as path:
        return load_config(path, ())


def first_rows(path: Path, count: int) -> list[dict[str, Any]]:
    """The first rows of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count), strict=False)]


def show_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print some columns of some rows as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*SHOWN_COLUMNS, title="the first rows")
    for row in rows:
        table.add_row(*("" if row.get(name) is None else str(row[name]) for name in SHOWN_COLUMNS))
    Console().print(table)
