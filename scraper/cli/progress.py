"""Progress of a run: a live picture on a terminal, plain lines elsewhere. Looks at samples only, never at a page."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scraper.cli.speak import told_above
from scraper.stats import Capacity, Load, Sample, Window

LIVE_EVERY_S = 0.2
PLAIN_EVERY_S = 10.0
WINDOW_S = 3.0
"""Rates are of the last seconds, so that they follow a change and still do not dance."""


@dataclass(frozen=True, slots=True)
class View:
    """What progress sees of a run."""

    take_sample: Callable[[], Sample]
    capacity: Capacity
    is_stopping: Callable[[], bool]
    """An interrupt came: nothing new is taken up."""
    limit: Callable[[], str]
    """What limits it now, in one line; "" while it starts."""


class Terminal(Console):
    """A console whose reader may leave: rich would send our standard output to nowhere and exit."""

    def on_broken_pipe(self) -> None:
        """Called while the BrokenPipeError is handled."""
        raise


async def show_live(view: View, console: Console) -> None:
    """Keep a picture on the terminal until cancelled; the last one stays. Raises OSError where the terminal is gone."""
    recent = Window(view.capacity, WINDOW_S)

    def draw() -> None:
        sample = view.take_sample()
        drawn = picture(sample, recent.add(sample), view.limit(), is_stopping=view.is_stopping())
        live.update(drawn, refresh=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    with (
        Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live,
        told_above(say),
    ):
        try:
            while True:
                draw()
                await asyncio.sleep(LIVE_EVERY_S)
        finally:
            live.transient = not expected(view.take_sample())  # nothing was to do: nothing is left to see
            draw()


async def show_plain(view: View, write: Callable[[str], None]) -> None:
    """Write a line every ten seconds until cancelled."""
    recent = Window(view.capacity, 2 * PLAIN_EVERY_S)
    recent.add(view.take_sample())
    while True:
        await asyncio.sleep(PLAIN_EVERY_S)
        sample = view.take_sample()
        write(plain_line(sample, recent.add(sample), view.limit(), is_stopping=view.is_stopping()))


def picture(now: Sample, load: Load, limit: str, *, is_stopping: bool = False) -> RenderableType:
    """The bar, the counts and the limit, three lines."""
    total, done = expected(now), now.done
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        ProgressBar(total=max(total, 1), completed=done, width=36),
        Text(f"{done:,}{'' if now.is_exhausted else '+'}/{total:,}", style="bold"),
        Text(f"{load.pages_per_s:,.0f} pages/s", style="cyan"),
        Text(ahead(now, load, is_stopping), style="dim"),
    )
    counts = Text(f"in flight {now.in_flight:,} · waiting {now.queued:,} · parsing {now.parsing:,} · ok {now.ok:,}")
    if now.failures:
        counts.append(" · ").append(f"failed {kinds(now)}", style="yellow")
    held = Text(f"limit: {limit}" if limit and now.open and not is_stopping else "", style="dim")
    return Group(bar, counts, held)


def plain_line(now: Sample, load: Load, limit: str, *, is_stopping: bool = False) -> str:
    """The same on one line."""
    failed = f", failed {kinds(now)}" if now.failures else ""
    return (
        f"{now.done:,}/{expected(now):,} done, {load.pages_per_s:,.0f} pages/s, {ahead(now, load, is_stopping)}, "
        f"in flight {now.in_flight:,}, waiting {now.queued:,}{failed}"
        f"{f'; limit: {limit}' if limit and not is_stopping else ''}"
    )


def expected(now: Sample) -> int:
    """URLs known so far: done, under way and waiting."""
    return now.done + now.open


def kinds(now: Sample) -> str:
    """Failures by kind, most frequent first."""
    ranked = sorted(now.failures.items(), key=lambda item: -item[1])
    return f"{sum(now.failures.values()):,} ({', '.join(f'{kind} {n:,}' for kind, n in ranked)})"


def ahead(now: Sample, load: Load, is_stopping: bool) -> str:
    """What is still to come: the time left, or what a run that is ending waits for."""
    if not is_stopping:
        return f"ETA {eta(now, load)}"
    under_way = now.in_flight + now.parsing
    if not under_way:
        return "stopped"
    return f"stopping: waiting for {under_way:,} page{'' if under_way == 1 else 's'}"


def eta(now: Sample, load: Load) -> str:
    """Time left at the present rate, "?" while the list is still read or nothing moves.

    Hours, minutes and seconds.
    """
    if not now.is_exhausted or load.pages_per_s < 0.01:
        return "?"
    seconds = round(now.open / load.pages_per_s)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
