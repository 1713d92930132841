"""A session on a loop of its own: progress on stderr, and the signals of a terminal handled."""

import asyncio
import signal
from contextlib import suppress

import typer

from scraper import loop
from scraper.config import Config
from scraper.errors import ScraperError, first_of
from scraper.pipeline import Pipeline
from scraper.session import Outcome, Request, run_session


def scrape_with_progress(settings: Config, request: Request, *, progress: bool) -> Outcome:
    """Run a session to its end or its interruption. Raises the ScraperError that ended it early."""
    return loop.run(_session(settings, request, progress))


async def _session(settings: Config, request: Request, progress: bool) -> Outcome:
    try:
        async with asyncio.TaskGroup() as tasks:
            watchers: list[asyncio.Task[None]] = []

            def on_start(pipeline: Pipeline) -> None:
                _handle_signals(pipeline)
                if progress:
                    watchers.append(tasks.create_task(_show(pipeline)))

            outcome = await run_session(settings, request, on_start)
            for watcher in watchers:
                watcher.cancel()
    except* ScraperError as group:
        raise first_of(group) from None
    return outcome


def _handle_signals(pipeline: Pipeline) -> None:
    """First signal: drain. Second: end at once."""
    running = asyncio.get_running_loop()

    def interrupt() -> None:
        if pipeline.is_stopping:
            pipeline.abort()
            return
        typer.echo("stopping: what is under way is finished first; once more to stop at once", err=True)
        pipeline.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            running.add_signal_handler(number, interrupt)


async def _show(pipeline: Pipeline) -> None:
    from rich.console import Console

    from scraper.cli.progress import show_live, show_plain

    console = Console(stderr=True)
    if console.is_terminal:
        await show_live(pipeline.sample, pipeline.capacity, console)
    else:
        await show_plain(pipeline.sample, pipeline.capacity, lambda line: typer.echo(line, err=True))
