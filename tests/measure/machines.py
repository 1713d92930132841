"""Simulated machines: what each point of settings does a second, without noise."""

import random
from dataclasses import dataclass, replace
from functools import cache

from scraper.measure.compare.recommend import PREFERENCE
from scraper.measure.tune.space import BATCHES, Point, with_batches, with_processes

MODELS = list(PREFERENCE)
CORES = 2
START = Point("hybrid", 64, "auto", BATCHES[0])


@dataclass(frozen=True)
class Machine:
    """Pages and a server, and what of them each model can do a second on two cores. Seconds a page."""

    latency: float
    fetch: float
    parse: float
    server: float = 1e9
    """Pages a second it can give."""

    def rate(self, point: Point) -> float:
        """Without noise."""
        at_once, workers = point.requests, _workers(point)
        batch = 5e-5 * (1 + 2**16 / point.batch_bytes)
        crowd = 1 + at_once / 20_000
        fetch, parse = self.fetch, self.parse
        together = fetch + parse
        if point.model == "hybrid":
            parts = ((fetch + batch) * crowd, parse * 1.1 / workers, (together + batch) / CORES)
        elif point.model == "asyncio":
            parts = (together * crowd,)
        elif point.model == "asyncio-threads":
            parts = (fetch * 1.3 + parse / 2, together / CORES)
        elif point.model == "threads":
            parts = (2.5 * fetch * (1 + at_once / 1000) + parse / 1.2,)
        elif point.model == "processes":
            at_once, parts = workers, ((3 * fetch + parse) / CORES,)
        else:
            parts = (together * 1.1 * crowd / min(workers, CORES),)
        return _smooth((self.latency + together) / at_once, 1 / self.server, *parts)

    @cache  # noqa: B019 - a machine lives as long as the test
    def best(self) -> float:
        """Of all settings together."""
        points = (replace(START, model=model, concurrency=2**power) for model in MODELS for power in range(2, 12))
        finer = (each for point in points for each in (with_processes(point, CORES) or [point]))
        return max(self.rate(each) for point in finer for each in (with_batches(point) or [point]))

    def loss(self, point: Point) -> float:
        """What a point falls short of the best, as a share."""
        return 1 - self.rate(point) / self.best()


def _workers(point: Point) -> int:
    if point.processes != "auto":
        return point.processes if point.model == "processes" else min(point.processes, CORES)
    return min(point.requests, 4 * CORES) if point.model == "processes" else CORES


def _smooth(*seconds: float) -> float:
    """The rate that the slowest part allows, with no corner where two are as slow."""
    return sum(each**6 for each in seconds) ** (-1 / 6)


def some_machine(seed: int) -> Machine:
    chance = random.Random(seed)
    return Machine(
        latency=chance.choice([0.002, 0.02, 0.1, 0.4]) * chance.uniform(0.7, 1.4),
        fetch=chance.uniform(2e-4, 6e-4),
        parse=chance.choice([2e-4, 1e-3, 5e-3, 3e-2]) * chance.uniform(0.7, 1.4),
        server=chance.choice([1e9, 1500.0, 4000.0]),
    )
