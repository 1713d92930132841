"""`scraper demo`: the practice site and a run over it, to see the whole thing work."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scraper.cli.inspect import shown_value
from scraper.cli.speak import drawn, give, tell

if TYPE_CHECKING:
    from scraper.config import Config
    from scraper.site.options import SiteOptions

LIST = "demo-urls.txt"
PART = f"{LIST}.part"
MADE_BY = "scraper demo"
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
    refuse_other_folder(output)
    options = SiteOptions(
        pages=pages, latency_s=0.02, jitter_s=0.01, not_found=0.01, flaky=0.02, cut=0.01, redirect=0.03
    )
    with running_site(options) as site:
        tell(f"the practice site is at {site.url}/ with {pages:,} pages")
        request = Request([str(write_list(output, options, site.url))], output, fresh=True, made_by=MADE_BY)
        outcome = scrape_with_progress(settings, request, progress=True)
    give(table_of(first_rows(Path(outcome.files["rows"]), SHOWN_ROWS)))
    report(outcome)


def refuse_other_folder(output: Path) -> None:
    """Raise SinkError for a folder that holds anything but an earlier demo: each demo starts over in its folder."""
    from scraper.errors import SinkError
    from scraper.folder import made_by

    if output.is_dir() and made_by(output) != MADE_BY and {file.name for file in output.iterdir()} - {LIST, PART}:
        raise SinkError(
            f"{output}: holds something else than an earlier demo: choose another folder with -o, or remove this one"
        )


def write_list(output: Path, options: "SiteOptions", base: str) -> Path:
    """Write the site's pages as a URL list beside the rows. Raises SinkError where that cannot be done."""
    from scraper.errors import SinkError
    from scraper.site.pagemap import PageMap

    try:
        output.mkdir(parents=True, exist_ok=True)
        path, part = output / LIST, output / PART
        part.write_bytes(b"".join(PageMap(options.pages).urls_txt(base)))
        part.replace(path)  # another demo may be reading the old one
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
    """The first rows of a JSONL or CSV file."""
    import csv
    import json  # 10 ms that no other command needs

    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines) if path.suffix == ".csv" else map(json.loads, lines)
        return list(islice(rows, count))


def shown_columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Some columns to show: those of the practice site's own config, else the first fields there are."""
    from scraper.write.encode import ROW_KEYS

    names = dict.fromkeys(name for row in rows for name in row if name not in ROW_KEYS)
    return ([name for name in SHOWN_COLUMNS if name in names] or list(names))[: len(SHOWN_COLUMNS)]


def table_of(rows: Sequence[dict[str, Any]]) -> str:
    """Some columns of some rows as a table."""
    from rich.table import Table
    from rich.text import Text

    names = shown_columns(rows)
    table = Table(*names, title="the first rows")
    for row in rows:
        table.add_row(*(Text("" if row.get(name) is None else shown_value(row[name])) for name in names))
    return drawn(table)
