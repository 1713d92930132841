"""Measures points with trials that are long enough to tell something, and no longer. Has the clock, and starts runs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scraper.config import Config
from scraper.errors import ScraperError, UsageError
from scraper.measure.page.figures import duration
from scraper.measure.pages import Pages
from scraper.measure.report.told import LimitTold
from scraper.measure.trial import LateError, Trial, run_trial, settings_of_own
from scraper.measure.tune.asking import Answer
from scraper.measure.tune.space import Point

LEAST_S = 0.5
"""Of work in a trial: less is chance."""
TRIALS = 50
"""So many are to fit into the budget: what a search takes."""
OVERHEAD_S = 1.0
"""What a trial takes besides its work: an interpreter and its imports, worker processes, the end."""
LONGEST_S = 10.0
WAVES = 3
"""Each of the requests in flight is to be used so often, at least: else a trial measures its start and its end."""
PROBE_PAGES = 100
PROBE_S = 3.0
PATIENCE, PATIENCE_S = 3, 3.0
"""A trial is given up after so many times what its pages should take, and so many seconds for its start."""
FADING = 0.8
"""By so much at most is the pace believed to fall from one trial to the next: most are of slower settings."""
POLITENESS = "politeness"


@dataclass(slots=True)
class Bench:
    """Where points are measured."""

    config: Config
    config_file: Path | None
    pages: Pages
    own: Mapping[str, Any]
    """The user's own settings, by key, over the file's."""
    folder: Path
    """For the trials' output; each replaces the one before."""
    budget_s: float
    pace: float = 0.0
    """Pages a second that a good setting does, by what was measured of late."""
    trials: int = 0
    started: float = field(default_factory=lambda: time.monotonic())

    @property
    def left_s(self) -> float:
        """Of the budget."""
        return self.budget_s - (time.monotonic() - self.started)

    @property
    def target_s(self) -> float:
        """Seconds that a trial should work."""
        return min(max(self.budget_s / TRIALS - OVERHEAD_S, LEAST_S), LONGEST_S)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    def begin(self, point: Point) -> Trial:
        """Run what the config says, with more and more URLs, until it works for long enough; gives the last trial.

        That is as soon as politeness is seen to be what limits. Raises UsageError where the list is too short, or the
        pages too slow to be measured in the budget; ScraperError where the run fails, or no page comes.
        """
        limit = self._probe_pages()
        while True:
            trial = self._probe(point, limit)
            is_long = working_s(trial) >= LEAST_S
            if is_long and (politeness_of(trial) or trial.pages >= self.length(point) // 2):
                return trial
            if limit >= self.pages.count:
                raise UsageError(self._too_short(trial))
            limit = max(self.length(point), 2 * limit)

    def _probe_pages(self) -> int:
        """Pages of the first trial: of hosts that are asked slowly, as many as take some seconds."""
        delay_s = self.config.politeness.delay
        return max(min(PROBE_PAGES, int(PROBE_S / delay_s * self.pages.hosts)), 2) if delay_s else PROBE_PAGES

    def _probe(self, point: Point, limit: int) -> Trial:
        most_s = self.budget_s / 2
        try:
            trial = self._run(point, limit, most_s)
        except LateError as exc:
            raise UsageError(
                f"{limit:,} pages took more than {duration(most_s)}, half the budget: too slow to try settings on; "
                "where that is not politeness (scraper run says what it is), give a larger --budget"
            ) from exc
        if not trial.ok:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in trial.failures.items())
            raise ScraperError(f"none of {trial.pages:,} pages gave a row ({kinds}): see them with `scraper run`")
        return trial

    def _too_short(self, trial: Trial) -> str:
        wanted = -(-self.pages.count * 2 * LEAST_S / working_s(trial) // 100) * 100  # twice: they may become faster
        return (
            f"{self.pages.shown}: {trial.pages:,} URLs are done in {duration(working_s(trial))}, too short a time to "
            f"measure: give at least {wanted:,.0f}"
        )

    def length(self, point: Point) -> int:
        """The URLs of a trial."""
        return min(max(int(self.pace * self.target_s), WAVES * point.requests, PROBE_PAGES), self.pages.count)

    def measure(self, point: Point) -> Answer:
        """One trial. A run that fails, or takes far too long, has no rate."""
        begun, limit = time.monotonic(), self.length(point)
        enough_s, left_s = PATIENCE * limit / self.pace + PATIENCE_S, max(self.left_s, LEAST_S)
        patience_s = min(enough_s, left_s)
        rate, failed, why, is_cut = 0.0, 0.0, "no page gave a row", False
        try:
            trial = self._run(point, limit, patience_s)
            rate, failed = rate_of(trial), 1 - trial.ok / trial.pages
        except LateError:
            why, is_cut = f"{limit:,} pages took more than {duration(patience_s)}", left_s < enough_s
        except ScraperError as exc:
            why = str(exc)
        return Answer(rate or None, self.left_s, time.monotonic() - begun, failed, why, is_cut)

    def _run(self, point: Point, limit: int, timeout_s: float | None) -> Trial:
        settings = {**self.own, **settings_of_own(self.config), **self.pages.settings, **point.settings}
        self.trials += 1
        trial = run_trial(
            settings,
            self.config_file,
            self.pages.sources,
            self.folder,
            min(limit, self.pages.count),
            timeout_s=timeout_s,
        )
        self.pace = max(rate_of(trial), FADING * self.pace)
        return trial


def working_s(trial: Trial) -> float:
    """Seconds from about the first request to the end.

    Where all of the requests in flight are answered at once, the first row comes when the first of a few such waves has
    gone by already: that one counts, too.
    """
    first_s, quick_s = trial.first_row_s or 0.0, trial.latency_s(0.1) or 0.0
    return max(trial.session.seconds - max(first_s - quick_s, 0.0), 1e-3)


def rate_of(trial: Trial) -> float:
    """Rows a second: what fails is no gain, however fast it does."""
    return trial.ok / working_s(trial)


def politeness_of(trial: Trial) -> LimitTold | None:
    """What the run says of politeness, where that limits it most of the time."""
    return next((limit for limit in trial.session.limits if limit.name == POLITENESS and limit.share > 0.5), None)
