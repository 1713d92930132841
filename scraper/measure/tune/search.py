"""The search of `scraper tune`: one setting after the other, each by a race. Pure.

They come in the order of their effect: the model and the requests in flight, each once more where the other has
changed; the processes; the batches. At the end what was found is raced against what the config says, so that it is
never worse. A race that is sure before its share of the time is used leaves the rest to those behind it.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from scraper.measure.tune.asking import RESERVE, Answer, Ask, State, finish, measure, new_race, race
from scraper.measure.tune.race import Noise, Race, Verdict
from scraper.measure.tune.space import (
    AXES,
    Axis,
    Point,
    automatic,
    doubled,
    halved,
    with_batches,
    with_models,
    with_processes,
)

PASSES = 2
"""Over model and requests in flight."""
NEAR = 0.75
"""A model so near to the best is tried again where the requests in flight have changed."""
GAIN, VAIN = 0.02, 2
"""A doubling that brings less brings nothing; so many of them in a row end the climb."""
FAR = 0.85
"""Below this share of the best, the climb or its way down ends."""

Choices = dict[Axis, Verdict[Point]]
Choosing = Generator[Ask, Answer, Point]
"""Gives the point with a setting chosen; as it was where nothing could be measured."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting that was chosen, and by which race."""

    axis: Axis
    verdict: Verdict[Point]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search ended with."""

    point: Point
    choices: tuple[Choice, ...]
    """In the order of the settings, those alone that were raced and change anything with this model."""
    final: Verdict[Point] | None
    """What was found against what was there, both measured; None where that is the same, or no time was left."""
    noise: Noise
    """Of a measurement, as all races together show it."""
    notes: tuple[str, ...]
    """As in Ask."""


def search(start: Point, models: Sequence[str], cores: int, left_s: float, most: int) -> Generator[Ask, Answer, Found]:
    """Look for the fastest point, beginning with what the config says.

    `models`: to try, the plainest first. `left_s`: seconds of the budget. `most`: requests in flight at most.
    Wants an Answer for each Ask. Where the time ends early, the settings that were not reached stay as they are.
    """
    state, choices = State(start, left_s, most, reserve_s=left_s * RESERVE), Choices()
    point = yield from _model_and_concurrency(models, state, choices)
    point = yield from _choose("processes", with_processes(point, cores), point, state, choices)
    point = yield from _choose("batch_bytes", with_batches(point), point, state, choices)
    if "batch_bytes" in choices and not choices["batch_bytes"].is_sure:
        del choices["batch_bytes"]  # it has the least effect: a mere guess is no reason to change it
        point = replace(point, batch_bytes=start.batch_bytes)
    final = (yield from race([point, start], None, state)) if point != start else None
    measured = [one.candidate for one in final.standings] if final else []
    if final is not None and start in measured and _is_worse(point, final):
        return Found(start, (), final, state.noise, state.take_notes())
    chosen = tuple(Choice(axis, choices[axis]) for axis in AXES if axis in choices and axis in point.used)
    return Found(point, chosen, final if start in measured else None, state.noise, state.take_notes())


def _is_worse(point: Point, final: Verdict[Point]) -> bool:
    """Whether it could not be measured, or was told apart from a winner."""
    standing = next((one for one in final.standings if one.candidate == point), None)
    return standing is None or standing.ratio + standing.within < 1


def _choose(axis: Axis, candidates: Sequence[Point], point: Point, state: State, choices: Choices) -> Choosing:
    """Race the candidates; where there is but one, it needs no race."""
    if len(candidates) < 2:
        return candidates[0] if candidates else point
    verdict = yield from race(candidates, axis, state)
    if verdict is None:
        return point
    choices[axis] = verdict
    return verdict.winner


def _model_and_concurrency(models: Sequence[str], state: State, choices: Choices) -> Choosing:
    """Choose both. Each changes what is best of the other, so both may have a second turn.

    Where the server is slow all models are equal until there are enough requests in flight: so a climb comes first,
    and is raced to its end where its model is the one that wins.
    """
    point = automatic(state.start)
    climbed = yield from _climb(point, state)
    point = climbed.verdict().winner if climbed.has_rates else point
    for _ in range(PASSES):
        was = point
        point = yield from _choose("model", with_models(point, models), point, state, choices)
        if point.model == was.model and "concurrency" in choices:
            break
        point = yield from _concurrency(point, climbed, state, choices)
        models = _near(choices)
        if point.concurrency == was.concurrency or len(models) < 2:
            break
    return point


def _near(choices: Choices) -> list[str]:
    """The models that may win at another number of requests."""
    verdict = choices.get("model")
    return [one.candidate.model for one in verdict.standings if one.ratio >= NEAR] if verdict else []


def _concurrency(point: Point, climbed: Race[Point], state: State, choices: Choices) -> Choosing:
    """Race the numbers of requests that a climb has shown to be worth it."""
    if "concurrency" not in point.used:
        return point
    until_s = state.end_of("concurrency")
    if point not in climbed.alive:
        climbed = yield from _climb(point, state)
    verdict = yield from finish(climbed, "concurrency", state, until_s)
    if verdict is None:
        return point
    choices["concurrency"] = verdict
    return verdict.winner


def _climb(start: Point, state: State) -> Generator[Ask, Answer, Race[Point]]:
    """Measure once the start, its doublings until they bring nothing, its halves until they cost much; as a race."""
    climb, until_s = new_race([], "concurrency", state), state.end_of("concurrency")
    if "concurrency" not in start.used:
        return climb
    best = first = yield from measure(climb, start, "concurrency", state)
    vain, upper = 0, doubled(start, state.most)
    while upper is not None and vain < VAIN and state.pays_for(1, until_s):
        rate = yield from measure(climb, upper, "concurrency", state)
        vain = 0 if rate > best * (1 + GAIN) else vain + 1
        if rate < best * FAR:
            break
        best, upper = max(best, rate), doubled(upper, state.most)
    rate, lower = first, halved(start)
    while lower is not None and rate >= best * FAR and state.pays_for(1, until_s):
        rate = yield from measure(climb, lower, "concurrency", state)
        lower = halved(lower)
    climb.rank(lambda one: one.requests)
    return climb
