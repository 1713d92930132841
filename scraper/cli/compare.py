"""`scraper compare`: the models of running, measured on a user's own pages."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scraper.cli.pages import Wanted, pages_of
from scraper.cli.speak import drawn, give, tell

if TYPE_CHECKING:
    from scraper.measure.compare.rounds import Comparison, Step

DIFFERENT = 1
"""The exit code where two runs brought different rows, or a model could not be run."""


def compare(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="URLs or lists, as of scraper run. [the practice site]"),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="The config file.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")] = Path(
        "output/compare"
    ),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; may be repeated.")
    ] = None,
    models: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME", help="Only this model; may be repeated. [all]")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Trials of each model.")] = 3,
    limit: Annotated[int, typer.Option(min=1, help="URLs of the list to take.")] = 500,
    pages: Annotated[int, typer.Option(min=1, help="Pages of the practice site, without SOURCE.")] = 2000,
    url_column: Annotated[str | None, typer.Option(help="The column or key that holds the URL.")] = None,
    source_format: Annotated[
        str | None, typer.Option(help="txt, csv, tsv or jsonl, where the name of a list does not tell it.")
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Record the pages once, politely, and compare on the recording.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="With --replay: record anew.")] = False,
    no_delay: Annotated[
        bool, typer.Option("--no-delay", help="With --replay: without politeness.delay and robots.txt's.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON to standard output.")] = False,
) -> None:
    """Run all models in turn on the same pages; show which to choose, and why."""
    from scraper.config import load_config
    from scraper.measure.compare import rounds as measuring
    from scraper.measure.compare.shown import counted

    settings = load_config(config, overrides or ())
    refuse_unknown(models or (), measuring.MODELS)
    wanted = Wanted(sources or (), limit, pages, output, url_column, source_format, replay, record, no_delay)
    chosen = tuple(dict.fromkeys(models or measuring.MODELS))
    with pages_of(wanted, settings) as (found_pages, scratch):
        refuse_folder(output)
        plan = measuring.Plan(chosen, rounds, config, settings, own_settings(overrides or ()), scratch)
        turns = f"{counted(len(chosen), 'model')}, {counted(rounds, 'round')}"
        tell(f"{found_pages.count:,} pages of {found_pages.shown}; {turns}")
        found = measuring.compare(plan, found_pages, show_step)
    give(f"{encoded(found)}\n" if as_json else shown(found, files_of(output)))
    save(found, output)
    if not found.is_sound:
        raise typer.Exit(DIFFERENT)


def refuse_unknown(names: Sequence[str], known: Sequence[str]) -> None:
    """Raise UsageError for a model that is none."""
    from scraper.errors import UsageError

    for name in names:
        if name not in known:
            raise UsageError(f"--model {name}: expected one of {', '.join(known)}")


def own_settings(overrides: Sequence[str]) -> dict[str, Any]:
    """The --set options by key."""
    from scraper.config.load import parse_override
    from scraper.config.render import dotted

    return {dotted(path): value for path, value in map(parse_override, overrides)}


def show_step(step: "Step") -> None:
    """Tell of a trial that ended."""
    from scraper.measure.page.figures import short, size

    place = f"  {step.number:>{len(str(step.of))}}/{step.of}  {step.model:<16}"
    trial = step.trial
    if trial is None:
        tell(f"{place}gave up: {step.problem}")
        return
    memory = size(trial.usage.peak_bytes) if trial.usage.peak_bytes else ""
    tell(f"{place}{short(trial.pages_per_s):>7} pages/s  {trial.cpu_ms:6.2f} ms CPU/page  {memory}")


def refuse_folder(folder: Path) -> None:
    """Raise SinkError for a folder that cannot take the results, before anything is measured. Makes nothing."""
    from scraper.errors import SinkError

    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise SinkError(f"{there}: is a file: name another folder with -o")
    if not os.access(there, os.W_OK):
        raise SinkError(f"{there}: cannot be written: name another folder with -o")


def files_of(folder: Path) -> tuple[Path, Path]:
    """Where the results are kept."""
    return folder / "compare.json", folder / "compare.html"


def save(found: "Comparison", folder: Path) -> None:
    """Write compare.json and compare.html. Raises SinkError where that cannot be done."""
    from scraper.errors import SinkError
    from scraper.measure.compare.page import page_of
    from scraper.measure.report.writing import write_page

    data, page = files_of(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.write_text(encoded(found) + "\n", encoding="utf-8")
    except OSError as exc:
        raise SinkError(f"{exc.filename or folder}: cannot be written: {exc.strerror}") from exc
    write_page(page, page_of(found))


def encoded(found: "Comparison") -> str:
    """The result as JSON."""
    import msgspec

    from scraper.measure.compare.shown import as_json

    return msgspec.json.format(msgspec.json.encode(as_json(found)), indent=2).decode()


def shown(found: "Comparison", files: Sequence[Path]) -> str:
    """The result for a terminal."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from scraper.measure.compare.shown import equality, headline, table_of, verdict

    grid = Table.grid(padding=(0, 2, 0, 0))
    for about, text in found.reasons:
        grid.add_row(Text(about, style="bold"), Text(f"{text}."))
    model, why = verdict(found)
    notes = [*found.pages.notes, *(f"{doubt}." for doubt in found.warnings)]
    missing = [f"{name} was not measured: {why}" for name, why in found.left_out.items()]
    return drawn(
        Text(f"\n{headline(found)}\n", style="dim"),
        table_of(found, Console().width),
        Text(),
        Text(equality(found), style="" if found.is_equal else "bold red"),
        *map(Text, missing),
        Text.assemble("\nChoose ", (model, "bold green"), f": {why}\n"),
        Padding(grid, (0, 0, 1, 2)),
        *(Text(f"Note: {note}", style="dim") for note in notes),
        Text("\n" + "\n".join(f"  {file}" for file in files)),
    )
