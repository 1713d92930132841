"""A session of a run that ends in an output folder: what `scraper run` does, without the command line around it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from scraper.assemble import limits_of, parts_of
from scraper.config import Config, row_shape
from scraper.errors import ScraperError
from scraper.fetch.client import Client
from scraper.folder import OutputFolder, RowForm
from scraper.parse.article import ARTICLE_FIELDS
from scraper.parse.check import check_plan
from scraper.parse.structured import DEFAULT_FIELDS
from scraper.pipeline import Pipeline
from scraper.records import ParsePlan
from scraper.summary import Summary, summary_of
from scraper.urls.sources import check_sources, peek_columns, read_sources
from scraper.write.encode import OTHER_COLUMNS, ROW_KEYS
from scraper.write.writer import Entry, Writer


@dataclass(frozen=True, slots=True)
class Request:
    """What a session is to do, besides the config."""

    sources: Sequence[str]
    """URLs, files, or "-"."""
    folder: Path
    url_column: str | None = None
    source_format: str | None = None
    limit: int | None = None
    """URLs to take up in this session, None = all."""
    fresh: bool = False
    """Forget what the folder holds and start over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    summary: Summary
    files: dict[str, Path]
    peak_in_flight_bytes: int


async def run_session(config: Config, request: Request, on_start: Callable[[Pipeline], None]) -> Outcome:
    """Scrape the sources into the folder; the same request again resumes.

    `on_start` gets the pipeline before it runs: to watch it, and to stop it. Raises SourceError, SinkError and
    ConfigError before anything is fetched, WriteError and ParsePoolError in mid-run; then the journal holds what was
    committed.
    """
    check_sources(request.sources, url_column=request.url_column, format=request.source_format)
    plan = _plan(config, request)
    form = RowForm(config.write.format, {**row_shape(config), "columns": list(plan.columns)}, plan.columns)
    with OutputFolder(request.folder, form, fresh=request.fresh, keep_bodies=config.fetch.keep_bodies) as folder:
        started = time.monotonic()
        pipeline = await _scrape(config, request, plan, folder, on_start)
        summary = summary_of(pipeline.ledger, time.monotonic() - started, pipeline.sample().pages_bytes)
        files = folder.files
        folder.write_summary(summary.as_json({role: path.name for role, path in files.items()}))
    pipeline.check_balance()
    return Outcome(summary, files, pipeline.budget.peak)


async def _scrape(
    config: Config, request: Request, plan: ParsePlan, folder: OutputFolder, on_start: Callable[[Pipeline], None]
) -> Pipeline:
    """Run a pipeline into the folder; gives it once everything it settled is committed."""
    writers: list[Writer] = []

    def open_output(on_commit: Callable[[list[Entry]], None], on_error: Callable[[ScraperError], None]) -> Writer:
        write = config.write
        writer = folder.writer(on_commit, on_error, commit_every_s=write.commit_every, commit_bytes=write.commit_bytes)
        writers.append(writer)
        return writer

    sources = read_sources(request.sources, url_column=request.url_column, format=request.source_format)
    async with AsyncExitStack() as exits:
        client = await exits.enter_async_context(Client(config.fetch, config.politeness, config.network))
        parts = parts_of(config, client, sources, plan, open_output, earlier=folder.done, keeper=folder.keeper)
        pipeline = Pipeline(parts, limits_of(config, request.limit))
        writers[0].start()
        exits.push_async_callback(asyncio.to_thread, writers[0].close)
        on_start(pipeline)
        await pipeline.run()
    return pipeline


def _plan(config: Config, request: Request) -> ParsePlan:
    """The parse plan, its rules and function checked; with CSV its columns fixed."""
    plan = config.parse_plan()
    check_plan(plan)  # what is wrong with a rule or the function is told now, not by a worker
    if config.write.format != "csv":
        return plan
    carried = peek_columns(request.sources, url_column=request.url_column, format=request.source_format)
    fields = field_names(plan, keep_bodies=config.fetch.keep_bodies)
    columns = csv_columns(fields, carried, is_open=bool(plan.function) or _may_carry_more(request))
    return config.parse_plan(columns)


def field_names(plan: ParsePlan, *, keep_bodies: bool) -> tuple[str, ...]:
    """What a row holds besides its own keys and the input's columns, in order; less what the user's function adds."""
    names = tuple(spec.name for spec in plan.fields) or DEFAULT_FIELDS
    return (*(["body_file"] if keep_bodies else []), *names, *(ARTICLE_FIELDS if plan.article else ()))


def csv_columns(fields: Sequence[str], carried: Sequence[str], *, is_open: bool) -> tuple[str, ...]:
    """The columns of a CSV output; `is_open` adds one for keys that nobody can know beforehand.

    >>> csv_columns(["title"], ["id", "title"], is_open=False)[4:]
    ('id', 'input_title', 'title')
    """
    taken = {*ROW_KEYS, *fields}
    inputs = [f"input_{name}" if name in taken else name for name in carried]
    return (*ROW_KEYS, *inputs, *fields, *([OTHER_COLUMNS] if is_open else []))


def _may_carry_more(request: Request) -> bool:
    """A CSV file names its columns at the top; JSON lines may bring new keys at any time."""
    return any(".jsonl" in source or ".ndjson" in source or source == "-" for source in request.sources)
