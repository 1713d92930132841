"""`scraper report DIR`: a page about a run, to read in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from scraper.cli.speak import tell


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a run.")] = Path("output"),
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to. [DIR/report.html]")
    ] = None,
    no_rows: Annotated[
        bool, typer.Option("--no-rows", help="Do without the fields: the rows, which may be many, are not read.")
    ] = False,
) -> None:
    """Write a page about a run: throughput, latency, limits, outcomes, hosts, fields; one file without a network."""
    from scraper.measure.report.writing import write_report

    path = write_report(folder, output, with_rows=not no_rows)
    tell(f"wrote {path}: open it in a browser")
