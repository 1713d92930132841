"""`scraper export DIR`: the rows of a run in another form."""

from pathlib import Path
from typing import Annotated

import typer

from scraper.cli.speak import tell


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a run.")],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="jsonl, csv (each also with .gz or .zst behind), parquet, sqlite, duckdb or postgres.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to, or the URL of a PostgreSQL server. [DIR/export.FORMAT]"
        ),
    ] = None,
    table: Annotated[str, typer.Option(metavar="NAME", help="The table in a database.")] = "pages",
    force: Annotated[bool, typer.Option("--force", help="Replace the file or table if it exists.")] = False,
) -> None:
    """Write the rows of a run in another form, whole or not at all; types are kept."""
    from scraper.export import Export, export_rows

    done = export_rows(Export(folder, to, output, table, force))
    tell(f"wrote {done.target}: {done.rows:,} row{'' if done.rows == 1 else 's'} of {done.source}")
