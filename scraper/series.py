"""How a session went, over its time: a few hundred points, however long it takes. Pure; it belongs to one thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from scraper.stats import Load, Sample

MOST_POINTS = 600
"""Two a pixel of a chart 300 wide; and 25 kB of JSON."""

Kind = Literal["at", "sum", "level", "share"]

KINDS: dict[str, Kind] = {
    "at": "at",
    "done": "sum",
    "failed": "sum",
    "bytes": "sum",
    "in_flight": "level",
    "queued": "level",
    "parsing": "level",
    "loop": "share",
    "parse": "share",
    "write": "share",
    "disk": "share",
    "slots": "share",
}
"""The columns. A sum counts from the start and is that of a point's end; levels and shares are means of its time."""


@dataclass(frozen=True, slots=True)
class _Point:
    """What went on for `seconds` up to a moment, or in two points that were made one."""

    seconds: float
    values: tuple[float, ...]
    """In the order of KINDS."""
    limit: dict[str, float]
    """Name of what limited the run -> for how many seconds."""


class Series:
    """The points of a session. At MOST_POINTS two neighbours become one each, and so all that come from then on."""

    def __init__(self, started_at: float) -> None:
        """`started_at`: the moment that times count from, by the samples' clock."""
        self._started_at = self._last_at = started_at
        self._points: list[_Point] = []
        self._open: list[_Point] = []
        self._width = 1

    def tick(self, sample: Sample, load: Load, limit: str | None) -> None:
        """Note what went on since the tick before. `limit`: what limited the run, None while it starts."""
        seconds, self._last_at = sample.at - self._last_at, sample.at
        values = (
            sample.at - self._started_at,
            sample.done,
            sum(sample.failures.values()),
            sample.pages_bytes,
            sample.in_flight,
            sample.queued,
            sample.parsing,
            load.loop,
            load.parse,
            load.write,
            load.disk,
            load.slots,
        )
        self._open.append(_Point(seconds, values, {limit: seconds} if limit else {}))
        if len(self._open) < self._width:
            return
        self._points.append(_merged(self._open))
        self._open.clear()
        if len(self._points) >= MOST_POINTS:
            self._points = [_merged(self._points[place : place + 2]) for place in range(0, MOST_POINTS, 2)]
            self._width *= 2

    def as_json(self) -> dict[str, list[Any]]:
        """The columns by name, of equal length; `limit` is what limited the run for most of a point's time."""
        points = [*self._points, *([_merged(self._open)] if self._open else [])]
        columns: dict[str, list[Any]] = {
            name: [_rounded(point.values[place], kind) for point in points]
            for place, (name, kind) in enumerate(KINDS.items())
        }
        columns["limit"] = [max(point.limit, key=lambda name: point.limit[name], default=None) for point in points]
        return columns


def _merged(points: list[_Point]) -> _Point:
    if len(points) == 1:
        return points[0]
    seconds = sum(point.seconds for point in points)
    limit: dict[str, float] = {}
    for point in points:
        for name, for_s in point.limit.items():
            limit[name] = limit.get(name, 0.0) + for_s
    return _Point(seconds, tuple(_merged_values(points, seconds)), limit)


def _merged_values(points: list[_Point], seconds: float) -> Iterator[float]:
    for place, kind in enumerate(KINDS.values()):
        if kind in ("at", "sum") or not seconds:
            yield points[-1].values[place]
        else:
            yield sum(point.values[place] * point.seconds for point in points) / seconds


def _rounded(value: float, kind: Kind) -> float:
    return round(value) if kind == "sum" else round(value, 3 if kind != "level" else 1)
