"""What the tool is to reach, and how each figure is read off the reports. Pure; a target is one line of a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.results import Case, Reports, middle

Figure = Callable[[Case], list[float]]


@dataclass(frozen=True)
class Target:
    """A figure and its limit."""

    what: str
    limit: float
    is_least: bool
    """The figure must be at least the limit; else at most."""
    form: str
    """How to show a figure, as a format string."""
    measured: Callable[[Reports], float | None]
    """Reads the figure; None where it was not measured."""

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return f"{'>=' if self.is_least else '<='} {self.show(self.limit)}"

    def show(self, value: float) -> str:
        """A figure with its unit."""
        return self.form.format(value)

    def is_met(self, value: float) -> bool:
        """Whether a figure keeps to the limit."""
        return value >= self.limit if self.is_least else value <= self.limit


def at_least(what: str, limit: float, form: str, measured: Callable[[Reports], float | None]) -> Target:
    """A target that more is better for."""
    return Target(what, limit, True, form, measured)


def at_most(what: str, limit: float, form: str, measured: Callable[[Reports], float | None]) -> Target:
    """A target that less is better for."""
    return Target(what, limit, False, form, measured)


def of(scenario: str, name: str, figure: Figure) -> Callable[[Reports], float | None]:
    """The median of a figure over the rounds of one case."""

    def measured(reports: Reports) -> float | None:
        case = reports[scenario].case(name) if scenario in reports else None
        return None if case is None else middle(figure(case))

    return measured


def ratio(scenario: str, name: str, other: str, figure: Figure) -> Callable[[Reports], float | None]:
    """How many times the figure of another case in the same report."""

    def measured(reports: Reports) -> float | None:
        ours, theirs = of(scenario, name, figure)(reports), of(scenario, other, figure)(reports)
        return None if ours is None or theirs is None else ours / theirs

    return measured


def named(scenario: str, name: str, figure: str) -> Callable[[Reports], float | None]:
    """A figure that a scenario gave by name."""
    return of(scenario, name, lambda case: [case.figures[figure]])


def growth(reports: Reports) -> float | None:
    """How many times the main process's early memory its late memory is, over a million URLs."""
    last, early = named("million", "ours", "last_mib")(reports), named("million", "ours", "early_mib")(reports)
    return None if last is None or early is None else last / early


Field = Literal["pages_per_s", "cpu_ms", "main_cpu_ms", "wall_s"]


def by(field: Field) -> Figure:
    """A figure of the runs."""

    def figure(case: Case) -> list[float]:
        values: list[float] = getattr(case, field)
        return values

    return figure


def peak_mb(case: Case) -> list[float]:
    """The highest peak of all rounds, in MB."""
    return [max(run.peak_bytes for run in case.runs) / 1e6]


_SPEED, _CPU, _MAIN_CPU, _WALL = by("pages_per_s"), by("cpu_ms"), by("main_cpu_ms"), by("wall_s")
_MB = 1.048576
"""MB in a MiB."""

TARGETS = (
    at_least("six fields, 3,000 pages", 2400, "{:,.0f} pages/s", of("job", "ours", _SPEED)),
    at_most("the same, CPU of the whole tree", 0.65, "{:.2f} ms/page", of("job", "ours", _CPU)),
    at_least("the same, against Scrapy", 9, "{:.1f}x", ratio("job", "ours", "scrapy", _SPEED)),
    at_least("the same, against Go and goquery", 1.4, "{:.1f}x", ratio("job", "ours", "go", _SPEED)),
    at_least("six fields, 15,000 pages", 2700, "{:,.0f} pages/s", of("job", "ours-long", _SPEED)),
    at_most("the same, CPU of the whole tree", 0.60, "{:.2f} ms/page", of("job", "ours-long", _CPU)),
    at_most("loop process, 15,000 pages, start included", 0.18, "{:.3f} ms/page", of("job", "ours-long", _MAIN_CPU)),
    at_most("title + h1, CPU over the floor", 2.0, "{:.2f}x", ratio("job", "ours-two", "floor-two", _CPU)),
    at_most("the same on real web pages", 1.5, "{:.2f}x", ratio("real", "ours-two", "floor-two", _CPU)),
    *(
        at_least(f"100 ms away, {n:,} connections", 0.95, "{:.1%} of the bound", named("latency", str(n), "share"))
        for n in (64, 256, 1024)
    ),
    at_most("six fields, memory of the whole tree", 350, "{:,.0f} MB", of("job", "ours", peak_mb)),
    at_most("a million URLs, first page fetched", 1, "{:.2f} s", named("million", "ours", "first_page_s")),
    at_most(
        "a million URLs, main process",
        250,
        "{:,.0f} MB",
        of("million", "ours", lambda case: [case.figures["most_mib"] * _MB]),
    ),
    at_most("a million URLs, growth after 10 s", 1.1, "{:.2f}x", growth),
    at_most("`scraper --help`", 0.15, "{:.3f} s", of("startup", "scraper --help", _WALL)),
    at_most("`scraper run` of one URL", 0.6, "{:.3f} s", of("startup", "scraper run URL", _WALL)),
    at_least(
        "HTTPS, new connections, against aiohttp", 2, "{:.1f}x", ratio("tls", "ours-two", "aiohttp, fetch only", _SPEED)
    ),
    *(
        at_least(f"{n:,} hosts, 0.5 s apart", 0.9, "{:.1%} of the bound", named("hosts", str(n), "share"))
        for n in (200, 10_000)
    ),
    at_least("article text, against one process", 1.9, "{:.2f}x", ratio("heavy", "ours", "one process", _SPEED)),
)
