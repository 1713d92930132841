"""`scraper tune`: the settings of speed that suit a user's own pages, measured and written into the config."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scraper.cli.pages import Wanted, pages_of
from scraper.cli.speak import drawn, give, tell

if TYPE_CHECKING:
    from scraper.measure.tune.chosen import Tuned
    from scraper.measure.tune.tuning import Step

BY = "scraper tune"
LIMIT = 10_000
"""URLs of a list that are taken; trials use fewer, as many as their time needs."""
LEAST_BUDGET_S = 20.0
MOST_BUDGET_S = 7 * 24 * 3600.0
"""A dozen trials: fewer tell nothing about four settings."""


def tune(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="URLs or lists, as of scraper run. [the practice site]"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="The config file to tune; it may be a new one. Without: only shown."),
    ] = None,
    budget: Annotated[str, typer.Option(help='The time it may take, e.g. "5m".')] = "2m",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")] = False,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder for recordings, as of scraper compare.")
    ] = Path("output/compare"),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="URLs of the list to take. [10,000; with --replay 500]")
    ] = None,
    pages: Annotated[int, typer.Option(min=1, help="Pages of the practice site, without SOURCE.")] = 5_000,
    url_column: Annotated[str | None, typer.Option(help="The column or key that holds the URL.")] = None,
    source_format: Annotated[
        str | None, typer.Option(help="txt, csv, tsv or jsonl, where the name of a list does not tell it.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Record the pages once, politely, and tune on the recording.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="With --replay: record anew.")] = False,
) -> None:
    """Find the settings that make these pages fastest, and write them."""
    from scraper.cli.compare import own_settings
    from scraper.config import load_config
    from scraper.measure import pages as measured_pages
    from scraper.measure.tune import tuning
    from scraper.measure.tune.configfile import refuse_unwritable

    budget_s = budget_of(budget)
    there = config if config is not None and config.exists() else None
    settings = load_config(there, overrides or ())
    if config is not None and not dry_run:
        refuse_unwritable(config)
    taken = limit or (measured_pages.LIMIT if replay else LIMIT)
    wanted = Wanted(sources or (), taken, pages, output, url_column, source_format, replay, record)
    with pages_of(wanted, settings) as (found_pages, scratch):
        own = own_settings(overrides or ())
        plan = tuning.Plan(settings, there, own, found_pages, scratch / "trial", budget_s)
        tell(f"{found_pages.count:,} pages of {found_pages.shown}, at most {budget}")
        tuned = tuning.tune(plan, show_step, show_notes)
    report(tuned, config, dry_run=dry_run)


def budget_of(text: str) -> float:
    """The seconds that --budget says. Raises UsageError for what is none, and for too few."""
    from scraper.config import parse_duration
    from scraper.errors import UsageError

    try:
        budget_s = parse_duration(text)
    except ValueError as exc:
        raise UsageError(f"--budget: {exc}") from exc
    if budget_s > MOST_BUDGET_S:
        raise UsageError(f"--budget {text}: longer than a week: nothing is gained after some minutes")
    if budget_s < LEAST_BUDGET_S:
        raise UsageError(f"--budget {text}: too short to measure anything: give at least {LEAST_BUDGET_S:.0f}s")
    return budget_s


def show_step(step: "Step") -> None:
    """Tell of a trial that ended."""
    from scraper.measure.page.figures import short

    rate = step.answer.rate
    said = step.answer.why if rate is None else f"{short(rate):>7} pages/s"
    tell(f"  {step.number:>3}  round {step.ask.number}  {step.ask.name:<18} {said}")


def show_notes(notes: tuple[str, ...]) -> None:
    """Tell of what was decided."""
    for note in notes:
        tell(f"       {note}")


def report(tuned: "Tuned", file: Path | None, *, dry_run: bool) -> None:
    """Show what was found, and write it where it is to be written."""
    from scraper.config.edit import with_settings
    from scraper.measure.tune.chosen import conclusion
    from scraper.measure.tune.configfile import changed_text, difference, replace_text

    if tuned.choices:
        give(picture(tuned))
    for line in conclusion(tuned):
        tell(line)
    if not tuned.settings:
        return
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    if file is None:
        give("\n" + with_settings("", tuned.settings, by=BY, on=today))
        tell("to write this into a config: -c FILE")
        return
    text = changed_text(file, tuned.settings, by=BY, on=today)
    give("".join(f"{line}\n" for line in ["", *difference(file, text)]))
    if dry_run:
        tell(f"{file} is as it was (--dry-run)")
    else:
        replace_text(file, text)
        tell(f"wrote {file}")


def picture(tuned: "Tuned") -> str:
    """What was chosen, a setting a line."""
    from rich import box
    from rich.table import Table

    from scraper.measure.tune.chosen import HEAD, cells

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in HEAD:
        table.add_column(name, justify="right" if name == "pages/s" else "left")
    for choice in tuned.choices:
        table.add_row(*cells(choice))
    return drawn(table)
