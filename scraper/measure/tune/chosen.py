"""What came of tuning: the lines for the config with their reasons, and words for people. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from scraper.config.edit import Setting
from scraper.measure.page.figures import duration, short
from scraper.measure.tune.race import Standing
from scraper.measure.tune.search import Choice, Found
from scraper.measure.tune.space import SECTIONS, Point, key_of

SHOWN_RIVALS = 3
"""Whose rates stand beside the winner's."""
NOISY = 0.08
"""Two runs of the same settings that differ by so much leave little to be sure of."""
HEAD = ("setting", "value", "pages/s", "instead of", "+-")


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came of it."""

    start: Point
    """What the config said."""
    rate: float
    """Pages a second with that, before the search."""
    trials: int
    seconds: float
    found: Found | None
    """None where there was nothing to search for."""
    polite: str = ""
    """Where politeness is what limits: what the run says of it."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The settings that were raced."""
        return self.found.choices if self.found else ()

    @property
    def settings(self) -> list[Setting]:
        """What the config is to say: what was raced, and what changed without because the model asks for it."""
        return list(_settings(self.found, self.start)) if self.found else []


def _settings(found: Found, start: Point) -> Iterator[Setting]:
    raced = {choice.axis: choice for choice in found.choices}
    for axis in found.point.used:
        value = found.point.value(axis)
        if axis in raced:
            yield Setting(SECTIONS[axis], axis, value, reason_of(raced[axis]))
        elif value != start.value(axis):
            yield Setting(SECTIONS[axis], axis, value, f"{value} is what {found.point.model} takes by itself")


def reason_of(choice: Choice) -> str:
    """Why a value was chosen, on one line that begins with it."""
    axis, verdict = choice.axis, choice.verdict
    winner, rivals = verdict.of(verdict.winner), rivals_of(choice)
    said = f"{winner.candidate.value(axis)} gave {short(winner.rate)} pages/s"
    if not rivals:
        return f"{said}, the others nothing"
    others = ", ".join(f"{one.candidate.value(axis)} {short(winner.rate * one.ratio)}" for one in rivals)
    return f"{said}, {others} ({within(rivals)}{'' if verdict.is_sure else ', unsure'})"


def rivals_of(choice: Choice) -> list[Standing[Point]]:
    """The best of the others, the best first."""
    winner = choice.verdict.winner
    others = (one for one in choice.verdict.standings if one.candidate != winner)
    return sorted(others, key=lambda one: -one.ratio)[:SHOWN_RIVALS]


def within(standings: list[Standing[Point]]) -> str:
    """How far their ratios to the winner may be wrong."""
    return f"+-{max(one.within for one in standings) * 100:.0f} %"


def cells(choice: Choice) -> Iterator[str]:
    """A line of the closing table, as HEAD has it."""
    axis, verdict = choice.axis, choice.verdict
    winner, rivals = verdict.of(verdict.winner), rivals_of(choice)
    yield key_of(axis)
    yield str(winner.candidate.value(axis))
    yield short(winner.rate)
    yield ", ".join(f"{one.candidate.value(axis)}: {short(winner.rate * one.ratio)}" for one in rivals)
    yield (within(rivals) if rivals else "") + ("" if verdict.is_sure else " unsure")


def conclusion(tuned: Tuned) -> Iterator[str]:
    """What it comes to, a sentence a line."""
    found = tuned.found
    if found is None:
        yield f"politeness is what limits these pages, at {short(tuned.rate)} pages/s: {tuned.polite}"
        yield "No setting of speed makes them faster, so nothing was searched, and nothing is to be changed."
        return
    yield f"{tuned.trials} trials in {duration(tuned.seconds)}"
    yield from _gain(found, tuned)
    if found.noise.deviation > NOISY:
        yield (
            f"Runs with the same settings differed by {found.noise.deviation * 100:.0f} %: something else keeps this "
            "machine busy, or the pages' server is unsteady. Try again when it is quiet, or with a larger --budget."
        )


def _gain(found: Found, tuned: Tuned) -> Iterator[str]:
    if found.final is None:
        is_same = found.point == tuned.start
        yield "The settings are the best as they are." if is_same else "The time ended before a last look at the whole."
        return
    there = found.final.of(tuned.start)
    if found.point == tuned.start:
        yield f"The settings as they are gave {short(there.rate)} pages/s; what was found was no faster."
        return
    here = found.final.of(found.point)
    before = here.rate * there.ratio / here.ratio
    gain = (here.rate / before - 1) * 100
    yield f"{short(here.rate)} pages/s with these settings, {short(before)} before: {gain:+.0f} %"
    if tuned.start.concurrency == "auto":
        yield 'fetch.concurrency = "auto" spends the start of a run on finding its number: a long run gains less.'
