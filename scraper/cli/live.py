"""A session on a loop of its own: progress on stderr, and the signals of a terminal handled."""

import asyncio
import signal
from contextlib import suppress

import typer

from scraper import loop
from scraper.cli.run import INTERRUPTED
from scraper.cli.speak import tell
from scraper.config import Config
from scraper.errors import ScraperError, first_of
from scraper.folder import JOURNAL
from scraper.pipeline import Pipeline
from scraper.session import Outcome, Request, run_session


def scrape_with_progress(settings: Config, request: Request, *, progress: bool) -> Outcome:
    """Run a session to its end or its interruption. Raises the ScraperError that ended it early.

    An interrupt that comes before the run has begun leaves as KeyboardInterrupt, or, where there is a journal to
    resume from, as exit code 3.
    """
    try:
        return loop.run(_session(settings, request, progress))
    except KeyboardInterrupt:
        if not (request.folder / JOURNAL).exists():
            raise
        tell("interrupted, the same command resumes")
        raise typer.Exit(INTERRUPTED) from None


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
        pipeline.stop()
        tell("stopping: what is under way is finished first; once more to stop at once")

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            running.add_signal_handler(number, interrupt)


async def _show(pipeline: Pipeline) -> None:
    from scraper.cli.progress import Terminal, View, show_live, show_plain

    console = Terminal(stderr=True)
    view = View(pipeline.sample, pipeline.capacity, lambda: pipeline.is_stopping)
    if not console.is_terminal:
        await show_plain(view, tell)
        return
    with suppress(OSError):  # the terminal is gone; the run goes on
        await show_live(view, console)
