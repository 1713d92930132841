"""`scraper run`: a URL list in, rows out."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scraper.cli.again import kinds_of, refuse_together
from scraper.cli.speak import give, tell

if TYPE_CHECKING:
    from scraper.session import Outcome

INTERRUPTED = 3
"""The exit code of a run that can be resumed."""


def run(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help="URLs, lists (.txt, .csv, .jsonl, each also .gz), - for standard input; or WARC files.",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The output folder.")] = Path("output"),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take up at most so many URLs.")] = None,
    url_column: Annotated[str | None, typer.Option(help="The column or key that holds the URL.")] = None,
    source_format: Annotated[
        str | None, typer.Option(help="txt, csv, tsv, jsonl or warc, where the name of a list does not tell it.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what the folder holds and start over.")] = False,
    retry_failed: Annotated[
        str | None,
        typer.Option(
            metavar="[=KIND,...]", help="Try the URLs that failed once more, all or those of some kinds (see error)."
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch the pages that have a row anew; replace the rows that changed.")
    ] = False,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Show only the summary.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON to standard output.")] = False,
) -> None:
    """Scrape the pages of SOURCES into the output folder. The same command again resumes."""
    from scraper.cli.guardian import can_guard, dying_of_want, guarded
    from scraper.config import cautions, first_workers, load_config
    from scraper.errors import UsageError
    from scraper.parse.heap import keep_freed
    from scraper.parse.process import fork_ahead

    if not sources:
        raise UsageError("nothing to scrape: give URLs, a file with a list of them, or - for standard input")
    kinds = None if retry_failed is None else kinds_of(retry_failed)
    refuse_together({"--fresh": fresh, "--retry-failed": kinds is not None, "--refresh": refresh})
    settings = load_config(config, overrides or ())
    for line in () if quiet else cautions(settings):
        tell(f"scraper: {line}")
    wall = guarded(settings.parse.timeout, quiet=quiet) if can_guard(settings, sources) else None
    if settings.run.model == "hybrid":
        import scraper.work  # noqa: F401 - what handles pages: imported once, for the workers too

        fork_ahead(first_workers(settings))
    else:
        keep_freed()
    from scraper.cli.interrupts import Interrupts
    from scraper.cli.live import scrape  # starts no thread, but may load what does
    from scraper.session import Request

    request = Request(sources, output, url_column, source_format, limit, fresh, kinds, refresh, wall=wall)
    with Interrupts().taken() as interrupts:
        with dying_of_want(wall):
            outcome = scrape(settings, request, interrupts, progress=not (no_progress or quiet))
        report(outcome, quiet=quiet, as_json=as_json)


def report(outcome: "Outcome", *, quiet: bool = False, as_json: bool = False) -> None:
    """Tell how a session ended: the balance and the files to stderr, JSON to stdout. Exits with 3 if interrupted."""
    if as_json:
        _print_json(outcome)
    if not quiet:
        for line in summary_lines(outcome):
            tell(line)
        for note in outcome.notes:
            tell(f"scraper: {note}")
    if not outcome.summary.finished:
        raise typer.Exit(INTERRUPTED)


def summary_lines(outcome: "Outcome") -> list[str]:
    """The end of a session in a few lines."""
    summary = outcome.summary
    if summary.did_nothing:
        head = f"nothing to do: all {summary.input:,} records are done (--fresh starts over)"
    else:
        how = "done" if summary.finished else "interrupted, the same command resumes"
        head = (
            f"{how}: {counted(summary.pages, 'page')} in "
            f"{summary.seconds:.1f} s, {summary.pages_per_s:,.0f} pages/s, {summary.bytes / 1e6:,.1f} MB"
        )
    if summary.limited:
        head += "; --limit reached: what the list holds behind it is left for the next run"
    earlier = f" ({summary.earlier:,} of them done earlier)" if summary.earlier and not summary.did_nothing else ""
    stood = [stood_line(summary.stood)] if summary.stood else []
    limit = [f"  {'limit':<9}{summary.limits[0]}"] if summary.limits and not summary.did_nothing else []
    files = [f"  {role:<9}{path}" for role, path in outcome.files.items()]
    return [head, summary.balance + earlier, *stood, *limit, *files]


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "page"), counted(1200, "page")
    ('1 page', '1,200 pages')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def stood_line(stood: Mapping[str, int]) -> str:
    """What --refresh found of the rows that it left.

    >>> stood_line({"unchanged": 85, "timeout": 2, "dns": 1})
    '85 rows unchanged; 3 could not be seen again (2 timeout, 1 dns), their rows stand'
    """
    failed = {why: n for why, n in stood.items() if why != "unchanged"}
    words = [f"{counted(stood['unchanged'], 'row')} unchanged"] if "unchanged" in stood else []
    if failed:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in failed.items())
        words.append(f"{sum(failed.values()):,} could not be seen again ({kinds}), their rows stand")
    return "; ".join(words)


def _print_json(outcome: "Outcome") -> None:
    import msgspec

    data = outcome.summary.as_json(outcome.files)
    with suppress(BrokenPipeError):  # the reader has left; the run is what it is
        give(msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n")
