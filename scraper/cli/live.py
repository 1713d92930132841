"""A session on a loop of its own: progress on stderr, and the signals of a terminal handled."""

import asyncio
import signal
from collections.abc import Callable
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

HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none
"""The terminal is gone, or its shell ended."""


def scrape_with_progress(settings: Config, request: Request, *, progress: bool) -> Outcome:
    """Run a session to its end or its interruption. Raises the ScraperError that ended it early.

    A signal that comes before the run has begun leaves as KeyboardInterrupt, or, where there is a journal to resume
    from, as exit code 3.
    """
    try:
        return loop.run(_session(settings, request, progress))
    except KeyboardInterrupt:
        if not (request.folder / JOURNAL).exists():
            raise
        tell("interrupted, the same command resumes")
        raise typer.Exit(INTERRUPTED) from None


async def _session(settings: Config, request: Request, progress: bool) -> Outcome:
    _take_for_ctrl_c()
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


def _take_for_ctrl_c() -> None:
    """As long as there is nothing to drain, the other signals end the program as Ctrl-C does: asyncio sees to that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a job in the background of a script
        return
    for number in _ends():
        _on_signal(number, lambda: signal.raise_signal(signal.SIGINT))


def _handle_signals(pipeline: Pipeline) -> None:
    """First signal: drain. Second: end at once, unless it tells once more that the terminal is gone."""

    def interrupt() -> None:
        if pipeline.is_stopping:
            pipeline.abort()
            return
        pipeline.stop()
        tell("stopping: what is under way is finished first; once more to stop at once")

    def hang_up() -> None:
        assert HANGUP is not None
        asyncio.get_running_loop().remove_signal_handler(HANGUP)
        signal.signal(HANGUP, signal.SIG_IGN)  # the kernel tells it, and the shell again to each of its jobs
        if not pipeline.is_stopping:
            pipeline.stop()
            tell("stopping, the terminal is gone: what is under way is finished first")

    for number in (signal.SIGINT, *_ends()):
        _on_signal(number, hang_up if number == HANGUP else interrupt)


def _ends() -> list[signal.Signals]:
    """What asks the program to end, besides Ctrl-C. Under nohup a hangup does not."""
    if HANGUP is None or signal.getsignal(HANGUP) is signal.SIG_IGN:
        return [signal.SIGTERM]
    return [signal.SIGTERM, HANGUP]


def _on_signal(number: signal.Signals, answer: Callable[[], None]) -> None:
    with suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(number, answer)


async def _show(pipeline: Pipeline) -> None:
    from scraper.cli.progress import Terminal, View, show_live, show_plain

    console = Terminal(stderr=True)
    view = View(
        pipeline.sample, pipeline.capacity, lambda: pipeline.is_stopping, lambda: str(pipeline.judge.verdict or "")
    )
    if not console.is_terminal:
        await show_plain(view, tell)
        return
    with suppress(OSError):  # the terminal is gone; the run goes on
        await show_live(view, console)
