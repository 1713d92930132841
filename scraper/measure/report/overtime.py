"""A session's series made ready for charts: fewer points, rates from sums, spans from names. Pure."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from scraper.measure.report.told import SeriesTold

MOST_POINTS = 150
"""Three units of a chart each: more would be noise."""
LEAST_WIDTH = 1e-9


def coarser(series: SeriesTold, most: int = MOST_POINTS) -> SeriesTold:
    """The same with `most` points at most: neighbours become one.

    Sums are those of the last, levels and shares the mean over their time, the limit what held longest.
    """
    every = -(-len(series.at) // most)
    if every <= 1:
        return series
    starts = range(0, len(series.at), every)
    cuts = [slice(start, start + every) for start in starts]
    widths = _widths(series.at)
    sums = {name: [getattr(series, name)[cut][-1] for cut in cuts] for name in ("at", "done", "failed", "bytes")}
    levels = ("in_flight", "queued", "parsing", "loop", "parse", "write", "disk", "slots")
    means = {name: [_mean(getattr(series, name)[cut], widths[cut]) for cut in cuts] for name in levels}
    return SeriesTold(**sums, **means, limit=[_longest(series.limit[cut], widths[cut]) for cut in cuts])


def rates(at: Sequence[float], sums: Sequence[float]) -> list[float]:
    """How much came a second, in each interval up to `at`.

    >>> rates([1.0, 3.0], [5, 25])
    [5.0, 10.0]
    """
    steps = [after - before for before, after in pairwise([0.0, *sums])]
    return [step / max(width, LEAST_WIDTH) for step, width in zip(steps, _widths(at), strict=True)]


def spans_by_name(at: Sequence[float], names: Sequence[str | None]) -> dict[str, list[tuple[float, float]]]:
    """When each name held, from start to end; the one that held longest first.

    >>> spans_by_name([1.0, 2.0, 4.0, 5.0], ["parse", "parse", None, "parse"])
    {'parse': [(0.0, 2.0), (4.0, 5.0)]}
    """
    found: dict[str, list[tuple[float, float]]] = {}
    begun = 0.0
    for name, group in groupby(zip(at, names, strict=True), key=lambda pair: pair[1]):
        end = list(group)[-1][0]
        if name:
            found.setdefault(name, []).append((begun, end))
        begun = end
    return dict(sorted(found.items(), key=lambda item: -sum(end - start for start, end in item[1])))


def _widths(at: Sequence[float]) -> list[float]:
    return [end - start for start, end in pairwise([0.0, *at])]


def _mean(values: Sequence[float], widths: Sequence[float]) -> float:
    total = sum(widths)
    if total <= 0:
        return values[-1]
    return sum(value * width for value, width in zip(values, widths, strict=True)) / total


def _longest(names: Sequence[str | None], widths: Sequence[float]) -> str | None:
    seconds: dict[str | None, float] = {}
    for name, width in zip(names, widths, strict=True):
        seconds[name] = seconds.get(name, 0.0) + width
    return max(seconds, key=lambda name: seconds[name])
