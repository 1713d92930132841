"""How a search asks for measurements, and runs a race with the answers, within a share of its time. Pure.

A search is a generator: it gives an Ask and is sent an Answer. Which races there are is search.py's.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from scraper.measure.tune.race import Noise, Race, Verdict
from scraper.measure.tune.space import Axis, Point

Stage = Axis | None
"""What a race is about: a setting, or None for what was found against what was there."""

SLACK: dict[Stage, float] = {"model": 0.02, "concurrency": 0.01, "processes": 0.01, "batch_bytes": 0.01, None: 0.02}
"""What the plainer value may lose, by setting: together 5 %, so that two searches differ by no more."""
SHARE: dict[Stage, float] = {"model": 0.4, "concurrency": 0.5, "processes": 0.5, "batch_bytes": 0.8, None: 1.0}
"""What a race may use of the time that is left before it, less RESERVE."""
RESERVE = 0.15
"""Of the budget, for the last race."""
MORE_FAILURES = 0.02
"""Where so many more of the pages fail, the server is asked for too much."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A measurement that is wanted."""

    point: Point
    name: str
    """The point among those it races with, for people."""
    number: int
    """The round, from 1."""
    notes: tuple[str, ...] = ()
    """What was decided since the last, for people."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A measurement."""

    rate: float | None
    """Pages a second; None where there is none."""
    left_s: float
    """Of the budget."""
    took_s: float
    failed: float = 0.0
    """The share of the pages that failed."""
    why: str = ""
    """Where there is no rate."""
    is_cut: bool = False
    """It has none because the budget was over."""


Asking = Generator[Ask, Answer, Verdict[Point] | None]
"""Gives how a race ended; None where none in it could be measured."""


@dataclass(slots=True)
class State:
    """What a search knows beyond one race."""

    start: Point
    left_s: float
    most: int
    """Requests in flight."""
    reserve_s: float = 0.0
    took_s: float = 0.0
    """By one measurement, on average."""
    measured: int = 0
    least_failed: float = 1.0
    noise: Noise = field(default_factory=Noise)
    notes: list[str] = field(default_factory=list)

    def note(self, answer: Answer) -> None:
        """Take what an answer tells besides the rate."""
        self.left_s = answer.left_s
        self.measured += 1
        self.took_s += (answer.took_s - self.took_s) / self.measured
        if answer.rate is not None:
            self.least_failed = min(self.least_failed, answer.failed)

    def end_of(self, stage: Stage) -> float:
        """The seconds that a race is to leave."""
        kept = self.reserve_s if stage else 0.0
        return kept + max(self.left_s - kept, 0.0) * (1 - SHARE[stage])

    def pays_for(self, measurements: int, until_s: float) -> bool:
        """Whether so many more are done before no more than `until_s` seconds are left."""
        return self.left_s - measurements * self.took_s >= until_s

    def take_notes(self) -> tuple[str, ...]:
        """What was decided since this was asked last."""
        taken, self.notes = tuple(self.notes), []
        return taken

    def name_of(self, point: Point, stage: Stage) -> str:
        """A candidate in a word or two."""
        if stage is None:
            return "as it was" if point == self.start else "as found"
        return point.model if stage == "model" else f"{stage} {point.value(stage)}"


def race(candidates: Sequence[Point], stage: Stage, state: State) -> Asking:
    """Race some candidates, the plainest first, within their share of the time."""
    return (yield from finish(new_race(candidates, stage, state), stage, state, state.end_of(stage)))


def new_race(candidates: Sequence[Point], stage: Stage, state: State) -> Race[Point]:
    """A race that has not begun."""
    return Race(list(candidates), SLACK[stage], state.noise)


def finish(race: Race[Point], stage: Stage, state: State, until_s: float) -> Asking:
    """Run rounds until the race is over or its time is used; what was measured in a round that is cut off counts."""
    race.noise = state.noise
    _drop_losers(race, stage, state)
    while (points := race.next_round()) and state.pays_for(len(points) if race.rounds else 1, until_s):
        for point in points:
            if state.pays_for(1, until_s) or not race.has_rates:
                yield from measure(race, point, stage, state)
        _drop_losers(race, stage, state)
    if not race.has_rates or race.knows_but_one:
        return None
    verdict = race.verdict()
    state.noise = verdict.noise
    return verdict


def measure(race: Race[Point], point: Point, stage: Stage, state: State) -> Generator[Ask, Answer, float]:
    """Measure a point for a race; gives its rate, 0 where it has none or too many of its pages failed."""
    race.enter(point)
    answer = yield Ask(point, state.name_of(point, stage), race.rounds + 1, state.take_notes())
    state.note(answer)
    if answer.is_cut:
        return 0.0
    if answer.rate is None:
        race.drop(point, answer.why)
    elif answer.failed > state.least_failed + MORE_FAILURES:
        race.drop(point, f"{answer.failed * 100:.0f} % of its pages failed")
    else:
        race.add(point, answer.rate)
        return answer.rate
    _tell_of_loser(race, point, stage, state)
    return 0.0


def _drop_losers(race: Race[Point], stage: Stage, state: State) -> None:
    for loser in race.drop_losers():
        _tell_of_loser(race, loser, stage, state)


def _tell_of_loser(race: Race[Point], point: Point, stage: Stage, state: State) -> None:
    state.notes.append(f"{state.name_of(point, stage)} is out: {race.dropped[point]}")
