"""A session of a run that ends in an output folder: what `scraper run` does, without the command line around it."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from scraper.assemble import limits_of, parts_of
from scraper.config import Config, row_shape
from scraper.errors import ScraperError
from scraper.fetch.client import Client
from scraper.fetch.tls import check_tls
from scraper.folder import OutputFolder, RowForm, refuse_own_files
from scraper.parse.article import ARTICLE_FIELDS
from scraper.parse.check import check_plan
from scraper.parse.structured import DEFAULT_FIELDS
from scraper.pipeline import Pipeline
from scraper.records import ParsePlan, SourceLine
from scraper.resume import MADE_BY
from scraper.summary import Summary, summary_of
from scraper.urls.sources import chained, check_sources, first_records, may_carry_more, peek_columns, read_sources
from scraper.write.encode import OTHER_COLUMNS, ROW_KEYS
from scraper.write.writer import Entry, Writer

Sources = AsyncGenerator[list[SourceLine], None]


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
    made_by: str | None = None
    """The command that asks, where its rows must not mix with those of a run of the user's own."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    summary: Summary
    files: dict[str, Path]


async def run_session(config: Config, request: Request, on_start: Callable[[Pipeline], None]) -> Outcome:
    """Scrape the sources into the folder; the same request again resumes.

    `on_start` gets the pipeline before it runs: to watch it, and to stop it. Raises SourceError, SinkError and
    ConfigError before anything is fetched or written, WriteError and ParsePoolError in mid-run; then the journal holds
    what was committed. Waits for the first records before it touches the folder: what is piped in may be no list.
    """
    check_sources(request.sources, url_column=request.url_column, format=request.source_format)
    refuse_own_files(request.sources, request.folder)
    with redirect_stdout(sys.stderr):  # the user's module may print while it is imported
        check_plan(config.parse_plan())  # what is wrong with a rule or the function is told now, not by a worker
    check_tls(config.fetch)
    async with aclosing(
        read_sources(request.sources, url_column=request.url_column, format=request.source_format)
    ) as batches:
        first = await first_records(batches, request.sources)
        form = _row_form(config, request, first)
        kept = config.fetch.max_body if config.fetch.keep_bodies else 0
        with OutputFolder(request.folder, form, fresh=request.fresh, keep_bodies=kept) as folder:
            return await _fill(config, request, folder, chained(first, batches), on_start)


async def _fill(
    config: Config, request: Request, folder: OutputFolder, sources: Sources, on_start: Callable[[Pipeline], None]
) -> Outcome:
    """Run a pipeline into the folder and close the books."""
    started = time.monotonic()
    pipeline = await _scrape(config, request.limit, folder, sources, on_start)
    seconds, pages_bytes = time.monotonic() - started, pipeline.sample().pages_bytes
    summary, files = summary_of(pipeline.ledger, seconds, pages_bytes, request.limit), folder.files
    if not (summary.did_nothing and folder.has_summary):
        folder.write_summary(summary.as_json({role: path.name for role, path in files.items()}))
    pipeline.check_balance()
    return Outcome(summary, files)


async def _scrape(
    config: Config, limit: int | None, folder: OutputFolder, sources: Sources, on_start: Callable[[Pipeline], None]
) -> Pipeline:
    """Run a pipeline into the folder; gives it once everything it settled is committed.

    Raises WriteError where the writer could not commit all of it, also when only the end of the run made it try.
    """
    writers: list[Writer] = []

    def open_output(on_commit: Callable[[list[Entry]], None], on_error: Callable[[ScraperError], None]) -> Writer:
        write = config.write
        writer = folder.writer(on_commit, on_error, commit_every_s=write.commit_every, commit_bytes=write.commit_bytes)
        writers.append(writer)
        return writer

    plan = config.parse_plan(folder.form.columns)
    async with AsyncExitStack() as exits:
        client = await exits.enter_async_context(Client(config.fetch, config.politeness, config.network))
        parts = parts_of(config, client, sources, plan, open_output, earlier=folder.done, keeper=folder.keeper)
        pipeline = Pipeline(parts, limits_of(config, limit))
        writers[0].start()
        exits.push_async_callback(asyncio.to_thread, writers[0].close)
        on_start(pipeline)
        await pipeline.run()
    if writers[0].error is not None:
        raise writers[0].error
    return pipeline


def _row_form(config: Config, request: Request, first: Sequence[SourceLine]) -> RowForm:
    """What the rows will look like; with CSV the columns are fixed by the fields and by what the lists begin with."""
    settings = row_shape(config) | ({MADE_BY: request.made_by} if request.made_by else {})
    if config.write.format != "csv":
        return RowForm(config.write.format, settings)
    plan = config.parse_plan()
    told = peek_columns(request.sources, url_column=request.url_column, format=request.source_format)
    carried = dict.fromkeys([*told, *(name for line in first for name in line.extra or ())])
    is_open = bool(plan.function) or may_carry_more(request.sources, format=request.source_format)
    fields = field_names(plan, keep_bodies=config.fetch.keep_bodies)
    return RowForm("csv", settings, csv_columns(fields, list(carried), is_open=is_open))


def field_names(plan: ParsePlan, *, keep_bodies: bool) -> tuple[str, ...]:
    """What a row holds besides its own keys and the input's columns, in order; less what the user's function adds."""
    names = tuple(spec.name for spec in plan.fields) or DEFAULT_FIELDS
    return (*(["body_file"] if keep_bodies else []), *names, *(ARTICLE_FIELDS if plan.article else ()))


def csv_columns(fields: Sequence[str], carried: Sequence[str], *, is_open: bool) -> tuple[str, ...]:
    """The columns of a CSV output; `is_open` adds one for keys that nobody can know beforehand.

    >>> csv_columns(["title"], ["id", "title"], is_open=False)[5:]
    ('id', 'input_title', 'title')
    """
    taken = {*ROW_KEYS, *fields}
    inputs = [f"input_{name}" if name in taken else name for name in carried]
    return (*ROW_KEYS, *inputs, *fields, *([OTHER_COLUMNS] if is_open else []))
