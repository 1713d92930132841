"""Carries a search out: asks it what to measure, measures, tells it, until it has found something or time is over."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scraper.config import Config
from scraper.config.machine import cores
from scraper.measure.compare.recommend import PREFERENCE
from scraper.measure.compare.rounds import possible_models
from scraper.measure.pages import Pages
from scraper.measure.tune.asking import Answer, Ask
from scraper.measure.tune.bench import WAVES, Bench, politeness_of, rate_of
from scraper.measure.tune.chosen import Tuned
from scraper.measure.tune.search import Found, search
from scraper.measure.tune.space import models_for, point_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be tuned."""

    config: Config
    config_file: Path | None
    """None where there is none yet."""
    settings: Mapping[str, Any]
    """The user's own, by key, over the file's."""
    pages: Pages
    scratch: Path
    """A folder for the trials' output."""
    budget_s: float


@dataclass(frozen=True, slots=True)
class Step:
    """A trial that ended."""

    ask: Ask
    answer: Answer
    number: int
    """Of the trials, from 1."""


def tune(plan: Plan, on_step: Callable[[Step], None], on_notes: Callable[[tuple[str, ...]], None]) -> Tuned:
    """Find the settings; takes about as long as the budget, or less.

    Raises UsageError where the list is too short to measure, ScraperError where what the config says cannot be run.
    """
    start = point_of(plan.config)
    bench = Bench(plan.config, plan.config_file, plan.pages, plan.settings, plan.scratch, plan.budget_s)
    first = bench.begin(start)
    polite = politeness_of(first)
    if polite is not None:
        return Tuned(start, rate_of(first), bench.trials, bench.seconds, None, polite.advice)
    possible, _ = possible_models(plan.config, tuple(PREFERENCE))
    models = models_for(possible, plan.pages.hosts)
    searching = search(start, models, cores(), bench.left_s, max(plan.pages.count // WAVES, 1))
    found = _carry_out(searching, bench, on_step, on_notes)
    on_notes(found.notes)
    return Tuned(start, rate_of(first), bench.trials, bench.seconds, found)


def _carry_out(
    searching: Generator[Ask, Answer, Found],
    bench: Bench,
    on_step: Callable[[Step], None],
    on_notes: Callable[[tuple[str, ...]], None],
) -> Found:
    try:
        ask = next(searching)
        while True:
            on_notes(ask.notes)
            answer = bench.measure(ask.point)
            on_step(Step(ask, answer, bench.trials))
            ask = searching.send(answer)
    except StopIteration as end:
        found: Found = end.value
        return found
