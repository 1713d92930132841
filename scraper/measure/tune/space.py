"""The settings that `scraper tune` chooses, and which values of each are worth measuring. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from scraper.config import Config, format_size
from scraper.config.sections import KIB, MIB
from scraper.measure.compare.recommend import PREFERENCE

Axis = Literal["model", "concurrency", "processes", "batch_bytes"]
AXES: tuple[Axis, ...] = ("model", "concurrency", "processes", "batch_bytes")
"""In order of their effect."""
SECTIONS: dict[Axis, str] = {
    "model": "run",
    "concurrency": "fetch",
    "processes": "parse",
    "batch_bytes": "parse",
}
USED: dict[str, tuple[Axis, ...]] = {
    "hybrid": ("model", "concurrency", "processes", "batch_bytes"),
    "asyncio": ("model", "concurrency"),
    "asyncio-threads": ("model", "concurrency", "processes"),
    "sharded": ("model", "concurrency", "processes"),
    "threads": ("model", "concurrency"),
    "processes": ("model", "processes"),
}
"""What changes anything, by model."""
LEAST_CONCURRENCY, FIRST_CONCURRENCY, MOST_CONCURRENCY = 4, 64, 2048
MOST_THREADS = 256
"""Each has a stack, and they share one lock."""
PROCESSES_A_CORE = 16
"""For each core, where a process waits for its page: 40 MB each."""
BATCHES = (256 * KIB, 64 * KIB, MIB)


@dataclass(frozen=True, slots=True)
class Point:
    """One choice of all settings."""

    model: str
    concurrency: int | Literal["auto"]
    processes: int | Literal["auto"]
    batch_bytes: int

    def value(self, axis: Axis) -> int | str:
        """One of the settings, as the config writes it."""
        value: int | str = getattr(self, axis)
        return format_size(value) if axis == "batch_bytes" and isinstance(value, int) else value

    @property
    def settings(self) -> dict[str, Any]:
        """All of them by their key."""
        return {key_of(axis): self.value(axis) for axis in AXES}

    @property
    def requests(self) -> int:
        """In flight at once; what "auto" stands for is found by the run itself."""
        return FIRST_CONCURRENCY if self.concurrency == "auto" else self.concurrency

    @property
    def used(self) -> tuple[Axis, ...]:
        """The settings that change anything with this model."""
        return USED[self.model]


def key_of(axis: Axis) -> str:
    """The setting's full name.

    >>> key_of("concurrency")
    'fetch.concurrency'
    """
    return f"{SECTIONS[axis]}.{axis}"


def point_of(config: Config) -> Point:
    """What a config says."""
    return Point(config.run.model, config.fetch.concurrency, config.parse.processes, config.parse.batch_bytes)


def models_for(possible: Sequence[str], hosts: int) -> list[str]:
    """Those of some models that are worth a try, the plainest first; one host cannot be dealt out to shards.

    >>> models_for(["asyncio", "hybrid", "sharded"], 1)
    ['hybrid', 'asyncio']
    """
    return [model for model in PREFERENCE if model in possible and (model != "sharded" or hosts > 1)]


def automatic(point: Point) -> Point:
    """The point to begin with: with as many processes as its model takes by itself, and a number of requests."""
    return replace(point, processes="auto", concurrency=point.requests)


def with_models(point: Point, models: Sequence[str]) -> list[Point]:
    """The point with each model, and as many processes as that takes by itself."""
    return [replace(automatic(point), model=model) for model in models]


def with_processes(point: Point, cores: int) -> list[Point]:
    """The point with each number of processes worth a try, the fewest first.

    >>> [one.processes for one in with_processes(Point("hybrid", 64, "auto", 0), 6)]
    [1, 2, 4, 5, 6]
    """
    if "processes" not in point.used:
        return []
    most = PROCESSES_A_CORE * cores if point.model == "processes" else cores
    least = cores if point.model == "processes" else 2 if point.model == "sharded" else 1
    counts = {least, most, *(2**power for power in range(12))}
    if point.model != "processes" and cores > 2:
        counts.add(cores - 1)  # leaves one to the loop
    return [replace(point, processes=count) for count in sorted(counts) if least <= count <= most]


def with_batches(point: Point) -> list[Point]:
    """The point with each size of batches worth a try, its own first."""
    if "batch_bytes" not in point.used:
        return []
    return [replace(point, batch_bytes=size) for size in dict.fromkeys((point.batch_bytes, *BATCHES))]


def doubled(point: Point, most: int) -> Point | None:
    """The point with twice the requests in flight; None where that is more than `most`, or than the model bears."""
    twice = 2 * point.requests
    bearable = MOST_THREADS if point.model == "threads" else MOST_CONCURRENCY
    return replace(point, concurrency=twice) if twice <= min(most, bearable) else None


def halved(point: Point) -> Point | None:
    """The point with half the requests in flight; None where that is too few."""
    half = point.requests // 2
    return replace(point, concurrency=half) if half >= LEAST_CONCURRENCY else None
