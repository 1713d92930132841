"""A session of a run that ends in an output folder: what `scraper run` does, without the command line around it."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from scraper.assemble import limits_of, parts_of
from scraper.config import Config, row_shape
from scraper.errors import ScraperError
from scraper.fetch.tls import check_tls
from scraper.folder import OutputFolder, refuse_own_files
from scraper.journal import Position
from scraper.models.blueprint import Blueprint, WrapWire
from scraper.models.choice import refuse_impossible
from scraper.models.wall import Wall
from scraper.monitor import Monitor
from scraper.parse.check import check_plan
from scraper.parts import Revisit
from scraper.pipeline import Pipeline
from scraper.places import places
from scraper.records import SourceLine
from scraper.resume import MADE_BY
from scraper.revisit import Refresh, RetryFailed, distinct_of
from scraper.rowform import RowForm, row_form
from scraper.stats import Sample
from scraper.stores import StoreOptions
from scraper.summary import Summary, summary_of
from scraper.urls.sources import (
    are_archives,
    chained,
    check_sources,
    first_records,
    may_carry_more,
    peek_columns,
    read_sources,
)
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
    retry_failed: tuple[str, ...] | None = None
    """Kinds of failures whose URLs are tried again, () = all that another try may change, None = no URL."""
    refresh: bool = False
    """See whether the pages that have a row have changed."""
    made_by: str | None = None
    """The command that asks, where its rows must not mix with those of a run of the user's own."""
    wrap_wire: WrapWire | None = None
    """Puts a wire around the one that fetches: how a run is recorded. For models with one loop that fetches."""
    wall: Wall | None = None
    """Where the process has a guardian."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended."""

    summary: Summary
    files: dict[str, str]
    """What a user may look at, by role."""
    notes: list[str] = field(default_factory=list)
    """What a user should know of how the settings suit the pages, a line each."""


class _Scraped(NamedTuple):
    """A run that has ended, and who saw it."""

    pipeline: Pipeline
    monitor: Monitor
    writer: Writer


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
    refuse_impossible(config)
    async with aclosing(
        read_sources(request.sources, url_column=request.url_column, format=request.source_format)
    ) as batches:
        first = await first_records(batches, request.sources)
        form = _row_form(config, request, first)
        with _output_folder(config, request, form) as folder:
            request = _rest_of(request, folder)
            return await _fill(config, request, folder, chained(first, batches), on_start)


async def _fill(
    config: Config, request: Request, folder: OutputFolder, sources: Sources, on_start: Callable[[Pipeline], None]
) -> Outcome:
    """Run a pipeline into the folder and close the books."""
    started = time.monotonic()
    pipeline, monitor, writer = await _scrape(config, request, folder, sources, on_start)
    seconds, pages_bytes = time.monotonic() - started, pipeline.sample().pages_bytes
    limits, files = monitor.limits, folder.files
    summary = summary_of(pipeline.ledger, seconds, pages_bytes, request.limit, limits)
    if not (summary.did_nothing and folder.has_summary):
        folder.write_summary(summary.as_json(folder.own_names(files)))
        folder.add_telemetry(monitor.record(writer.written))
    pipeline.check_balance()
    return Outcome(summary, files, [*folder.notes, *pipeline.engine.notes()])


async def _scrape(
    config: Config, request: Request, folder: OutputFolder, sources: Sources, on_start: Callable[[Pipeline], None]
) -> _Scraped:
    """Run a pipeline into the folder; gives it once everything it settled is committed.

    Raises WriteError where the writer could not commit all of it, also when only the end of the run made it try.
    """
    pipelines: list[Pipeline] = []
    writers: list[Writer] = []

    def open_output(on_commit: Callable[[list[Entry]], None], on_error: Callable[[ScraperError], None]) -> Writer:
        every_s, size = config.write.commit_every, config.write.commit_bytes
        at = lambda: position_of(pipelines[0].sample())  # noqa: E731 - the writer starts behind the pipeline
        writers.append(folder.writer(on_commit, on_error, at, commit_every_s=every_s, commit_bytes=size))
        return writers[0]

    blueprint = Blueprint(
        config,
        config.parse_plan(folder.form.columns, folder.salt),
        keep_heads="warc" in config.write.formats,
        bodies=folder.path if config.fetch.keep_bodies else None,
        from_archive=are_archives(request.sources, format=request.source_format),
        wrap_wire=request.wrap_wire,
        wall=request.wall,
    )
    async with AsyncExitStack() as exits:
        parts = parts_of(
            blueprint,
            sources,
            open_output,
            earlier=folder.done,
            revisit=exits.enter_context(_revisit(request, folder)),
            distinct=None if config.write.dedupe == "url" else distinct_of(config.write.dedupe, folder.commits()),
        )
        pipelines.append(Pipeline(parts, limits_of(config, request.limit)))
        monitor = Monitor(pipelines[0])
        exits.callback(monitor.stop)  # behind the writer, which may have the longest part before it
        monitor.start()
        writers[0].start()
        exits.push_async_callback(asyncio.to_thread, writers[0].close)
        on_start(pipelines[0])
        await pipelines[0].run()
        monitor.look()
    if writers[0].error is not None:
        raise writers[0].error
    return _Scraped(pipelines[0], monitor, writers[0])


@contextmanager
def _revisit(request: Request, folder: OutputFolder) -> Iterator[Revisit | None]:
    """What the request asks to see anew."""
    if request.refresh:
        with Refresh() as refresh:
            refresh.read(folder.commits())
            yield refresh
    else:
        yield None if request.retry_failed is None else RetryFailed(request.retry_failed or None)


def _rest_of(request: Request, folder: OutputFolder) -> Request:
    """The request less what processes before this one have done of it."""
    if request.wall is None:
        return request
    done = folder.done.totals.total()
    did = done - request.wall.board.done_before(done)
    return request if request.limit is None else replace(request, limit=max(request.limit - did, 0))


def position_of(sample: Sample) -> Position:
    """What a commit tells of the whereabouts of URLs."""
    return Position(sample.input, sample.queued, sample.in_flight, sample.parsing)


def _row_form(config: Config, request: Request, first: Sequence[SourceLine]) -> RowForm:
    """What the rows will look like; columns are fixed by the fields and by what the lists begin with."""
    settings = row_shape(config) | ({MADE_BY: request.made_by} if request.made_by else {})
    told = peek_columns(request.sources, url_column=request.url_column, format=request.source_format)
    carried = dict.fromkeys([*told, *(name for line in first for name in line.extra or ())])
    is_open = bool(config.parse.function) or may_carry_more(request.sources, format=request.source_format)
    return row_form(config, settings, carried, is_open=is_open)


def _output_folder(config: Config, request: Request, form: RowForm) -> OutputFolder:
    write, kept = config.write, config.fetch.max_body if config.fetch.keep_bodies else 0
    wall = request.wall
    is_fresh = request.fresh and not (wall is not None and wall.board.was_begun())
    where = places(request.folder, write.formats, write.written_paths, write.paths)
    options = StoreOptions(
        request.folder, form.columns, write.table, write.part_bytes, config.politeness.agent, config.politeness.robots
    )
    pid = None if wall is None else wall.guardian
    return OutputFolder(request.folder, form, where, options, fresh=is_fresh, keep_bodies=kept, pid=pid)
