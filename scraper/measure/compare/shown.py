"""A comparison as people read it in a terminal, and as programs read it. Pure, but for drawing the table."""

from collections.abc import Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

from scraper.measure.compare.measured import Measured
from scraper.measure.compare.rounds import Comparison
from scraper.measure.page.figures import short
from scraper.measure.trial import Trial

if TYPE_CHECKING:
    from rich.table import Table

BAR = 12
"""Letters of the bar behind the speed of the fastest, where there is room."""
WIDE = 100
"""Columns of a terminal that has it."""
HEAD = (
    "model",
    "pages/s",
    "+-",
    "CPU ms\na page",
    "cores\nused",
    "memory\nMB",
    "p50\nms",
    "p95\nms",
    "p99\nms",
    "stall\nms",
    "row 1\ns",
)


def headline(found: Comparison) -> str:
    """What was compared, where."""
    pages, scene = found.pages, found.scene
    lock = "with a GIL" if scene.has_gil else "free-threaded (no GIL)"
    return (
        f"{pages.count:,} pages of {counted(pages.hosts, 'host')} from {pages.shown}; "
        f"{counted(found.rounds, 'round')}; Python {scene.python}, {lock}, {counted(scene.cores, 'core')}"
    )


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "host"), counted(1200, "host")
    ('1 host', '1,200 hosts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def table_of(found: Comparison, width: int) -> "Table":
    """The figures, a model a line, the fastest first: medians, and by how much the speed went to either side of it.

    `width`: columns of the terminal.
    """
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in HEAD:
        table.add_column(name, justify="left" if name == "model" else "right", no_wrap=True, vertical="bottom")
    if width >= WIDE:
        table.add_column("")
    top = found.models[found.choice.fastest].pages_per_s.median
    for name, each in found.models.items():
        cells = [*_cells(each), *([_bar(each.pages_per_s.median / top)] if width >= WIDE and top else [])]
        table.add_row(*cells, style="bold green" if name == found.choice.model else None)
    return table


def _bar(part: float) -> str:
    return "█" * max(1, round(BAR * part))


def _cells(each: Measured) -> Iterator[str]:
    yield each.model
    yield short(each.pages_per_s.median)
    yield f"{each.pages_per_s.share * 100:.0f} %" if each.rounds > 1 else ""
    yield f"{each.cpu_ms.median:.2f}"
    yield f"{each.cores.median:.2f}"
    yield f"{each.peak_bytes.median / 1e6:,.0f}" if each.peak_bytes else "?"
    for figure in (each.p50_s, each.p95_s, each.p99_s, each.stall_s):
        yield _ms(figure.median) if figure else ""
    yield f"{each.first_row_s.median:.2f}" if each.first_row_s else ""


def _ms(seconds: float) -> str:
    """Milliseconds, to a tenth where they are few."""
    return f"{seconds * 1000:,.{1 if seconds < 0.01 else 0}f}"


def verdict(found: Comparison) -> Iterator[str]:
    """Which to choose, as lines."""
    choice = found.choice
    yield f'run.model = "{choice.model}"'
    yield f"{choice.reason}."


def equality(found: Comparison) -> str:
    """Whether all brought the same, in a line or some."""
    difference = found.difference
    if difference is None:
        runs = sum(map(len, found.trials.values()))
        if runs == 1:
            return "There was only one run, so there is nothing to compare its rows with."
        return f"The rows and failures of all {runs} runs are equal."
    one, other = found.differs
    told = (
        f"The runs brought different rows. {difference.url}\n"
        f"  {difference.what}: {difference.one} ({one}), {difference.other} ({other})"
    )
    if one == other:
        told += f"\n  {one} differs from itself: the pages, or your function, give something else each time."
    return told


def as_json(found: Comparison) -> dict[str, Any]:
    """The content of compare.json."""
    return {
        "version": 1,
        "made_at": found.made_at,
        "pages": found.pages.count,
        "hosts": found.pages.hosts,
        "source": found.pages.shown,
        "notes": list(found.pages.notes),
        "rounds": found.rounds,
        "python": found.scene.python,
        "gil": found.scene.has_gil,
        "cores": found.scene.cores,
        "recommended": found.choice.model,
        "fastest": found.choice.fastest,
        "close": list(found.choice.close),
        "noisy": list(found.choice.noisy),
        "why": found.choice.reason,
        "reasons": [{"about": reason.about, "text": reason.text} for reason in found.reasons],
        "doubts": list(found.warnings),
        "equal": found.is_equal,
        "difference": _difference_json(found),
        "left_out": dict(found.left_out),
        "models": {name: each.as_json() for name, each in found.models.items()},
        "trials": {name: [*map(_trial_json, trials)] for name, trials in found.trials.items()},
    }


def _difference_json(found: Comparison) -> dict[str, Any] | None:
    if found.difference is None:
        return None
    url, what, one, other = astuple(found.difference)
    values = [{"model": model, "value": value} for model, value in zip(found.differs, (one, other), strict=True)]
    return {"url": url, "what": what, "values": values}


def _trial_json(trial: Trial) -> dict[str, Any]:
    return {
        "pages_per_s": trial.pages_per_s,
        "run_s": trial.run_s,
        "first_row_s": trial.first_row_s,
        "wall_s": trial.usage.wall_s,
        "cpu_s": trial.usage.cpu_s,
        "cpu_ms": trial.cpu_ms,
        "peak_bytes": trial.usage.peak_bytes,
    }
