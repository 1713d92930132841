"""A comparison as a page of HTML that needs nothing but itself. Pure."""

from collections.abc import Callable, Iterator, Sequence

from scraper.measure.compare.measured import Measured
from scraper.measure.compare.rounds import Comparison
from scraper.measure.compare.shown import counted, equality, headline
from scraper.measure.page import charts, html
from scraper.measure.page.charts import Bar
from scraper.measure.page.figures import duration, short, size
from scraper.measure.page.html import Html, Num, Section
from scraper.measure.report.told import Buckets
from scraper.measure.spread import Spread
from scraper.measure.trial import Trial

Words = Callable[[float], str]


def page_of(found: Comparison) -> Html:
    """The whole page."""
    choice = found.choice
    lead = [html.paragraph(headline(found), ".", note=True)]
    sections = [
        Section("Which model", [*_verdict(found)]),
        Section("Why", [_reasons(found)]),
        Section("The figures", [_figures(found), *_rounds(found)]),
        Section("In pictures", [html.side_by_side(*_pictures(found))]),
        Section("How long a page took", [html.side_by_side(*_latencies(found))]),
        Section("How it was measured", [*_method(found)]),
    ]
    return html.page(f"Models compared: {choice.model}", sections, lead=lead, made_by=_made_by(found))


def _made_by(found: Comparison) -> str:
    return f"Made by scraper compare at {found.made_at}."


def _verdict(found: Comparison) -> Iterator[Html]:
    choice = found.choice
    chosen = found.models[choice.model]
    yield html.paragraph(html.el("strong", html.code(f'run.model = "{choice.model}"')), f": {choice.reason}.")
    yield html.facts(_facts(chosen))
    yield html.paragraph(*(html.el("span", line) for line in equality(found).splitlines()))
    if found.warnings:
        yield html.listed(f"{doubt}." for doubt in found.warnings)


def _facts(chosen: Measured) -> Iterator[tuple[str, str]]:
    yield "pages a second", short(chosen.pages_per_s.median)
    yield "CPU a page", f"{short(chosen.cpu_ms.median)} ms"
    yield "cores used", f"{chosen.cores.median:.2f}"
    if chosen.peak_bytes:
        yield "memory at most", size(chosen.peak_bytes.median)
    if chosen.p50_s:
        yield "half of the pages within", duration(chosen.p50_s.median)
    if chosen.first_row_s:
        yield "first row after", duration(chosen.first_row_s.median)


def _reasons(found: Comparison) -> Html:
    return html.listed(html.joined(html.el("strong", reason.about), f": {reason.text}.") for reason in found.reasons)


# -- figures ----------------------------------------------------------------------------------------------------------


def _figures(found: Comparison) -> Html:
    head = [
        "model",
        "pages/s",
        "from-to",
        "CPU/page",
        "cores",
        "memory",
        "p50",
        "p95",
        "p99",
        "longest stall",
        "first row",
    ]
    rows = (_row(each) for each in found.models.values())
    return html.table("Medians of all rounds; speed, CPU and cores count from the first row on", head, rows)


def _row(each: Measured) -> list[html.Child]:
    return [
        each.model,
        Num(short(each.pages_per_s.median)),
        Num(f"{short(each.pages_per_s.low)}-{short(each.pages_per_s.high)}"),
        Num(f"{short(each.cpu_ms.median)} ms"),
        Num(f"{each.cores.median:.2f}"),
        _num(each.peak_bytes, size),
        *(
            _num(quantile, duration)
            for quantile in (each.p50_s, each.p95_s, each.p99_s, each.stall_s, each.first_row_s)
        ),
    ]


def _num(figure: Spread | None, words: Words) -> html.Child:
    return None if figure is None else Num(words(figure.median))


def _rounds(found: Comparison) -> Iterator[Html]:
    """Every trial, for those who want to see for themselves; and what was not measured."""
    rows = ([name, *(Num(short(trial.pages_per_s)) for trial in trials)] for name, trials in found.trials.items())
    head = ["model", *(f"round {number}" for number in range(1, found.rounds + 1))]
    yield html.folded("Every trial", html.table("Pages a second, by round", head, rows))
    if found.left_out:
        yield html.table("Not measured", ["model", "why"], found.left_out.items())


# -- pictures ---------------------------------------------------------------------------------------------------------


def _pictures(found: Comparison) -> Iterator[Html]:
    each = list(found.models.values())
    yield _bars("Pages a second", "more is better", [(it.model, it.pages_per_s) for it in each], short)
    yield _bars("CPU a page", "less is better", [(it.model, it.cpu_ms) for it in each], lambda ms: f"{short(ms)} ms")
    cores = f"of {counted(found.scene.cores, 'core')}"
    yield _bars("Cores in use", cores, [(it.model, it.cores) for it in each], short)
    memory = [(it.model, it.peak_bytes) for it in each if it.peak_bytes]
    yield _bars("Memory at most", "less is better", memory, size)
    first = [(it.model, it.first_row_s) for it in each if it.first_row_s]
    yield _bars("Time to the first row", "less is better", first, duration)
    yield _bars("Longest stall of the loop", "less is better", [(it.model, it.stall_s) for it in each], duration)


def _bars(title: str, meaning: str, figures: Sequence[tuple[str, Spread]], words: Words) -> Html:
    """A bar for each model, with the spread of its rounds at its end."""
    bars = [Bar(name, it.median, it.low, it.high, words(it.median)) for name, it in figures]
    told = "; ".join(f"{name} {words(it.median)}" for name, it in figures)
    rows = ([name, *(Num(words(value)) for value in (it.median, it.low, it.high))] for name, it in figures)
    svg = charts.bars(title, f"{meaning}: {told}.", bars, words=words)
    return html.figure(f"{title} ({meaning})", svg, html.table(title, ["model", "median", "least", "most"], rows))


def _latencies(found: Comparison) -> Iterator[Html]:
    """From the request to the row, a histogram for each model."""
    for name, each in found.models.items():
        buckets = _pooled(found.trials[name])
        if not buckets or each.p50_s is None or each.p95_s is None:
            continue
        marks = {"p50": each.p50_s.median, "p95": each.p95_s.median}
        told = ", ".join(f"{mark} {duration(value)}" for mark, value in marks.items())
        svg = charts.histogram(f"Time of a page with {name}", f"{told}.", buckets, marks=marks, unit="pages")
        rows = ((Num(f"up to {duration(bound)}"), count) for bound, count in buckets)
        yield html.figure(f"{name}: from the request to the row", svg, html.table(name, ["time", "pages"], rows))


def _pooled(trials: Sequence[Trial]) -> Buckets:
    """The pages of all rounds in one histogram."""
    pooled: dict[float, int] = {}
    for trial in trials:
        for bound, count in trial.session.phases.page:
            pooled[bound] = pooled.get(bound, 0) + count
    return sorted(pooled.items())


# -- method -----------------------------------------------------------------------------------------------------------


def _method(found: Comparison) -> Iterator[Html]:
    count = sum(map(len, found.trials.values()))
    yield html.paragraph(
        f"{count} runs, each a process of its own over the same {found.pages.count:,} URLs, the models in turn and in "
        "another order each round. CPU and memory are those of all its processes, memory that they share counted once. "
        "Models whose speeds overlap are not told apart."
    )
    if found.pages.notes:
        yield html.listed(found.pages.notes)
