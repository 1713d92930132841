"""Runs the models in turn on the same pages, several rounds, and sees whether all brought the same."""

import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

from scraper.config import Config
from scraper.config.machine import cores
from scraper.config.sections import Model
from scraper.errors import ConfigError, ScraperError, UsageError
from scraper.machine import has_gil, idle_s
from scraper.measure.compare.doubts import doubts
from scraper.measure.compare.explain import explain
from scraper.measure.compare.measured import Measured, measured
from scraper.measure.compare.recommend import Choice, recommend
from scraper.measure.compare.rows import Brought, Difference, brought_by, difference_at
from scraper.measure.compare.scene import Reason, Scene
from scraper.measure.pages import Pages
from scraper.measure.tree import own_cpu_s
from scraper.measure.trial import Trial, run_trial, settings_of_own
from scraper.models.blueprint import is_this_machine
from scraper.models.choice import refuse_impossible

MODELS: tuple[str, ...] = get_args(Model)
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be compared."""

    models: tuple[str, ...]
    rounds: int
    config_file: Path | None
    config: Config
    """What the file and the user's own settings come to."""
    settings: Mapping[str, Any]
    """The user's own, by key, over the file's."""
    scratch: Path
    """A folder for the trials."""


@dataclass(frozen=True, slots=True)
class Step:
    """A trial that ended, or did not end well."""

    number: int
    of: int
    model: str
    trial: Trial | None
    problem: str = ""


class Load(NamedTuple):
    """Shares of the machine in one trial, 0 where they cannot be known."""

    server: float
    others: float


@dataclass(slots=True)
class Findings:
    """What the trials have brought so far."""

    trials: dict[str, list[Trial]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    """Model -> why it was given up."""
    loads: list[Load] = field(default_factory=list)
    first: tuple[Trial, Brought] | None = None
    """What all others are compared with; its folder stays."""
    difference: Difference | None = None
    differs: str = ""
    """The model that brought the difference."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it."""

    pages: Pages
    rounds: int
    made_at: str
    """RFC 3339, UTC."""
    scene: Scene
    models: Mapping[str, Measured]
    """The fastest first."""
    trials: Mapping[str, Sequence[Trial]]
    left_out: Mapping[str, str]
    """Model -> why it was not measured."""
    broken: frozenset[str]
    """Those of them that could have been."""
    choice: Choice
    reasons: Sequence[Reason]
    warnings: Sequence[str]
    difference: Difference | None
    """Where the rows of two runs differ first; None where all are equal."""
    differs: tuple[str, str] = ("", "")
    """The models of those two runs."""

    @property
    def is_equal(self) -> bool:
        """Whether every run brought the same rows and failures."""
        return self.difference is None

    @property
    def is_sound(self) -> bool:
        """Whether every model that can run with these settings did so, and all brought the same."""
        return self.is_equal and not self.broken


def possible_models(config: Config, names: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Those of some models that the settings allow; and of the others, why not."""
    possible, impossible = [], {}
    for name in names:
        try:
            refuse_impossible(config.model_copy(update={"run": config.run.model_copy(update={"model": name})}))
            possible.append(name)
        except ConfigError as exc:
            impossible[name] = str(exc)
    return tuple(possible), impossible


def compare(plan: Plan, pages: Pages, on_step: Callable[[Step], None]) -> Comparison:
    """Run all trials; takes as long as they do. Raises ScraperError where no model could be run."""
    possible, left_out = possible_models(plan.config, plan.models)
    if not possible:
        raise ConfigError(" ".join(f"{name}: {why};" for name, why in left_out.items()).rstrip(";"))
    found = Findings()
    turns = list(turns_of(possible, plan.rounds))
    for number, model in enumerate(turns, 1):
        if model not in found.broken:
            on_step(_take_turn(plan, pages, model, found, number, len(turns)))
    if not found.trials:
        raise ScraperError(next(iter(found.broken.values())))
    if not any(trial.ok for trials in found.trials.values() for trial in trials):
        raise ScraperError(f"no page gave a row, so there is nothing to choose by: {_kinds(found)}; run tells more")
    return comparison_of(plan, pages, found, left_out | found.broken)


def _kinds(found: Findings) -> str:
    (trial, *_), *_ = found.trials.values()
    return ", ".join(f"{count:,} {kind}" for kind, count in trial.failures.items()) or "the list is empty"


def turns_of(models: Sequence[str], rounds: int) -> Iterator[str]:
    """Who runs when: each once a round, and in each round another one first, so that no one is always behind another.

    >>> " ".join(turns_of(["a", "b", "c"], 3))
    'a b c b c a c a b'
    """
    for number in range(rounds):
        first = number % max(len(models), 1)
        yield from (*models[first:], *models[:first])


def _take_turn(plan: Plan, pages: Pages, model: str, found: Findings, number: int, of: int) -> Step:
    """One trial, and what it brought."""
    settings = {**plan.settings, **settings_of_own(plan.config), **pages.settings, "run.model": model}
    folder = plan.scratch / f"{number}-{model}"
    before = _Clock.read(pages.server_pid)
    try:
        trial = run_trial(settings, plan.config_file, pages.sources, folder, None)
        after = _Clock.read(pages.server_pid)
        brought = brought_by(folder)
    except ScraperError as exc:
        found.broken[model] = str(exc)
        found.trials.pop(model, None)
        return Step(number, of, model, None, str(exc))
    if found.first is None:
        refuse_remote(brought)
    _compare_rows(trial, brought, found)
    found.loads.append(after.load_since(before, trial))
    found.trials.setdefault(model, []).append(trial)
    if found.first is None or found.first[0] is not trial:
        shutil.rmtree(folder, ignore_errors=True)
    return Step(number, of, model, trial)


def refuse_remote(brought: Brought) -> None:
    """Raise UsageError where a page of this machine sent the run to another one."""
    remote = next((host for host in brought.hosts if not is_this_machine(host)), None)
    if remote is not None:
        raise UsageError(f"a page redirects to {remote}, which is not this machine: add --replay, or leave it out")


def _compare_rows(trial: Trial, brought: Brought, found: Findings) -> None:
    if found.first is None:
        found.first = (trial, brought)
        return
    first, its = found.first
    other = brought.first_other(its)
    if other is not None and found.difference is None:
        found.difference = difference_at(other, first.folder, trial.folder)
        found.differs = trial.model


class _Clock(NamedTuple):
    """What the system has counted up to a moment."""

    at: float
    server_s: float | None
    """CPU seconds of the server of the pages; None where it is not ours, or where the system does not tell."""
    idle_s: float | None
    """Of all cores."""

    @classmethod
    def read(cls, server_pid: int | None) -> "_Clock":
        server_s = None
        with suppress(OSError):
            server_s = None if server_pid is None else own_cpu_s(server_pid)
        return cls(time.monotonic(), server_s, idle_s())

    def load_since(self, before: "_Clock", trial: Trial) -> Load:
        possible_s = (self.at - before.at) * cores()
        server_s = 0.0 if self.server_s is None or before.server_s is None else self.server_s - before.server_s
        if self.idle_s is None or before.idle_s is None:
            return Load(server_s / possible_s, 0.0)
        others_s = possible_s - (self.idle_s - before.idle_s) - server_s - trial.usage.cpu_s
        return Load(server_s / possible_s, max(others_s / possible_s, 0.0))


def comparison_of(plan: Plan, pages: Pages, found: Findings, left_out: Mapping[str, str]) -> Comparison:
    """What the findings say."""
    figures = {name: measured(trials) for name, trials in found.trials.items()}
    by_speed = sorted(figures, key=lambda name: -figures[name].pages_per_s.median)
    models = {name: figures[name] for name in by_speed}
    scene = Scene(platform.python_version(), has_gil(), cores(), pages.hosts, plan.config.parse.function)
    choice = recommend(models)
    most = Load(*(max(shares) for shares in zip(*found.loads, strict=True)))
    return Comparison(
        pages=pages,
        rounds=plan.rounds,
        made_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        scene=scene,
        models=models,
        trials=found.trials,
        left_out=left_out,
        broken=frozenset(found.broken),
        choice=choice,
        reasons=explain(models, choice, scene),
        warnings=[*doubts(models, choice, most.server, most.others)],
        difference=found.difference,
        differs=(found.first[0].model if found.first else "", found.differs),
    )
