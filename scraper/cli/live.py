"""A session on a loop of its own: progress on stderr, and the signals of a terminal answered."""

import asyncio
import sys
from contextlib import redirect_stdout, suppress

import typer

from scraper import loop
from scraper.cli.interrupts import Interrupts
from scraper.cli.run import INTERRUPTED
from scraper.cli.speak import tell
from scraper.config import Config
from scraper.errors import ScraperError, first_of
from scraper.folder import JOURNAL
from scraper.pipeline import Pipeline
from scraper.session import Outcome, Request, run_session


def scrape_with_progress(settings: Config, request: Request, *, progress: bool) -> Outcome:
    """`scrape` for a command that goes on with something else, which a signal may break off."""
    with Interrupts().taken() as interrupts:
        return scrape(settings, request, interrupts, progress=progress)


def scrape(settings: Config, request: Request, interrupts: Interrupts, *, progress: bool) -> Outcome:
    """Run a session to its end or its interruption; on the main thread. Raises the ScraperError that ended it early.

    A signal that comes before the run has begun leaves as KeyboardInterrupt or CancelledError, or, where there is a
    journal to resume from, as exit code 3.
    """
    try:
        with redirect_stdout(sys.stderr):  # what the user's function prints; standard output is for the answer
            return loop.run(_session(settings, request, progress, interrupts))
    except (KeyboardInterrupt, asyncio.CancelledError):
        if not (interrupts.told and (request.folder / JOURNAL).exists()):
            raise
        tell("interrupted, the same command resumes")
        raise typer.Exit(INTERRUPTED) from None


async def _session(settings: Config, request: Request, progress: bool, interrupts: Interrupts) -> Outcome:
    interrupts.session_begins()
    try:
        async with asyncio.TaskGroup() as tasks:
            watchers: list[asyncio.Task[None]] = []

            def on_start(pipeline: Pipeline) -> None:
                interrupts.run_begins(pipeline)
                if progress:
                    watchers.append(tasks.create_task(_show(pipeline)))

            outcome = await run_session(settings, request, on_start)
            for watcher in watchers:
                watcher.cancel()
    except* ScraperError as group:
        raise first_of(group) from None
    return outcome


async def _show(pipeline: Pipeline) -> None:
    from scraper.cli.progress import Terminal, View, show_live, show_plain

    console = Terminal(stderr=True)
    view = View(
        pipeline.sample, pipeline.capacity, lambda: pipeline.is_stopping, lambda: str(pipeline.judge.verdict or "")
    )
    if not console.is_terminal or console.is_dumb_terminal:
        await show_plain(view, tell)
        return
    with suppress(OSError):  # the terminal is gone; the run goes on
        await show_live(view, console)
