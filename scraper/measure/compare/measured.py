"""What the trials of one model come to: each figure with its spread. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from scraper.histogram import quantile
from scraper.measure.report.told import SeriesTold
from scraper.measure.spread import Spread, spread_of
from scraper.measure.trial import Trial


@dataclass(frozen=True, slots=True)
class Measured:
    """One model over all rounds. What could not be measured is None."""

    model: str
    rounds: int
    pages: int
    ok: int
    concurrency: int
    processes: int
    pages_per_s: Spread
    """From the first row to the end."""
    all_pages_per_s: Spread
    """Over the whole run, its start included."""
    first_row_s: Spread | None
    cpu_ms: Spread
    """A page, of all processes, from the first row to the end."""
    cores: Spread
    """In use on average, in the same time."""
    peak_bytes: Spread | None
    p50_s: Spread | None
    """From the request to the row, as the next two."""
    p95_s: Spread | None
    p99_s: Spread | None
    stall_s: Spread
    """The longest time that the loop was kept from its timers."""
    working_s: float
    """Median, from the first row to the end."""
    head_s: float | None
    """Median from the request to the head of the answer."""
    loop_ms: float
    """CPU a page of the event loop; of several loops the sum. With parsing, where the loop parses."""
    parse_ms: float
    """A page in the parser, waiting for the page left out."""
    page_bytes: float
    """Of a body, as it was sent; the mean."""
    limit: str | None
    """What limited it for most of the time."""

    def as_json(self) -> dict[str, Any]:
        """For compare.json."""
        return asdict(self)


def measured(trials: Sequence[Trial]) -> Measured:
    """The figures of at least one trial of one model."""
    last = trials[-1]

    def over(figure: Callable[[Trial], float]) -> Spread:
        found = spread_of(map(figure, trials))
        assert found is not None
        return found

    return Measured(
        model=last.model,
        rounds=len(trials),
        pages=last.pages,
        ok=last.ok,
        concurrency=last.session.concurrency,
        processes=last.session.processes,
        pages_per_s=over(lambda trial: trial.pages_per_s),
        all_pages_per_s=over(lambda trial: trial.pages / trial.run_s),
        first_row_s=spread_of(trial.first_row_s for trial in trials),
        cpu_ms=over(lambda trial: trial.cpu_ms),
        cores=over(lambda trial: trial.cores),
        peak_bytes=spread_of(trial.usage.peak_bytes or trial.session.peak_rss for trial in trials),
        p50_s=spread_of(trial.latency_s(0.5) for trial in trials),
        p95_s=spread_of(trial.latency_s(0.95) for trial in trials),
        p99_s=spread_of(trial.latency_s(0.99) for trial in trials),
        stall_s=over(lambda trial: trial.session.stalls.longest_s),
        working_s=median(trial.working_s for trial in trials),
        head_s=_median(quantile(trial.session.phases.head, 0.5) for trial in trials),
        loop_ms=median(_loop_ms(trial) for trial in trials),
        parse_ms=median(_parse_ms(trial) for trial in trials),
        page_bytes=median(_page_bytes(trial) for trial in trials),
        limit=_limit(trials),
    )


def _median(values: Any) -> float | None:
    found = spread_of(values)
    return None if found is None else found.median


def _loop_ms(trial: Trial) -> float:
    loops = trial.session.processes if trial.model == "sharded" else 1
    return _busy_s(trial.session.series, "loop") * loops / max(trial.pages, 1) * 1000


def _parse_ms(trial: Trial) -> float:
    return _busy_s(trial.session.series, "parse") * trial.session.processes / max(trial.pages, 1) * 1000


def _busy_s(series: SeriesTold, name: str) -> float:
    """The seconds that a share over time adds up to."""
    shares: list[float] = getattr(series, name)
    widths = [after - before for before, after in pairwise([0.0, *series.at])]
    return sum(share * width for share, width in zip(shares, widths, strict=True))


def _page_bytes(trial: Trial) -> float:
    return trial.session.series.bytes[-1] / trial.ok if trial.ok and trial.session.series.bytes else 0.0


def _limit(trials: Sequence[Trial]) -> str | None:
    """The limit with the greatest share over all trials; None where no trial was long enough to tell."""
    shares: dict[str, float] = {}
    for trial in trials:
        for limit in trial.session.limits:
            shares[limit.name] = shares.get(limit.name, 0.0) + limit.share
    return max(shares, key=lambda name: shares[name], default=None)
