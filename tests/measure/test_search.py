"""The search on simulated machines, whose fastest settings are known."""

import random
from collections.abc import Callable
from dataclasses import replace
from math import exp

import pytest

from scraper.measure.tune.asking import Answer, Ask
from scraper.measure.tune.search import Found, search
from scraper.measure.tune.space import MOST_CONCURRENCY, Point, models_for
from tests.measure.machines import CORES, MODELS, START, Machine, some_machine

BUDGET = 60
"""Measurements, each of one second."""

Measure = Callable[[Ask, float], Answer]


def noisy(machine: Machine, seed: int, noise: float = 0.03, held_up: float = 0.02) -> Measure:
    """Measurements of a machine; now and then something else holds one up."""
    chance = random.Random(seed)

    def measure(ask: Ask, left_s: float) -> Answer:
        hold = chance.uniform(0.5, 0.9) if chance.random() < held_up else 1.0
        return Answer(machine.rate(ask.point) * exp(chance.gauss(0, noise)) * hold, left_s, 1.0)

    return measure


def tuned(
    measure: Measure, start: Point = START, *, budget: float = BUDGET, most: int = MOST_CONCURRENCY
) -> tuple[Found, list[Ask]]:
    asks, searching = [], search(start, MODELS, CORES, budget, most)
    try:
        ask = next(searching)
        while True:
            asks.append(ask)
            ask = searching.send(measure(ask, budget - len(asks)))
    except StopIteration as end:
        found: Found = end.value
        return found, asks


def test_what_is_found_is_near_the_best_and_a_second_time_as_fast() -> None:
    searches = 60
    near = alike = 0
    for seed in range(searches):
        machine = some_machine(seed)
        first, asks = tuned(noisy(machine, seed))
        second, more = tuned(noisy(machine, seed + 1_000), first.point)
        assert max(len(asks), len(more)) <= BUDGET
        near += (machine.loss(first.point) <= 0.05) + (machine.loss(second.point) <= 0.05)
        alike += abs(machine.rate(first.point) / machine.rate(second.point) - 1) < 0.05
    assert near >= 0.95 * 2 * searches
    assert alike >= 0.95 * searches


def exact(machine: Machine) -> Measure:
    return noisy(machine, 0, noise=0.005, held_up=0.0)


SLOW_SERVER = Machine(latency=0.4, fetch=4e-4, parse=2e-4)
HEAVY_PAGES = Machine(latency=0.002, fetch=4e-4, parse=3e-2)


def test_slow_server_is_asked_for_more_at_once() -> None:
    found, _ = tuned(exact(SLOW_SERVER), replace(START, concurrency=16))
    assert found.point.requests >= 512
    assert SLOW_SERVER.loss(found.point) < 0.05


def test_heavy_pages_need_few_requests_and_all_cores() -> None:
    found, _ = tuned(exact(HEAVY_PAGES))
    assert found.point.requests <= 16
    assert found.point.processes != 1
    assert HEAVY_PAGES.loss(found.point) < 0.05


def test_list_of_few_pages_bounds_the_requests_in_flight() -> None:
    found, asks = tuned(exact(SLOW_SERVER), most=100)
    assert max(ask.point.requests for ask in asks) == 64
    assert found.point.concurrency == 64


def test_model_that_fails_is_out_with_its_reason() -> None:
    def measure(ask: Ask, left_s: float) -> Answer:
        if ask.point.model == "sharded":
            return Answer(None, left_s, 1.0, why="it crashed")
        return exact(HEAVY_PAGES)(ask, left_s)

    found, asks = tuned(measure)
    assert found.point.model != "sharded"
    assert "sharded is out: it crashed" in [note for ask in asks for note in ask.notes]


def test_speed_at_which_pages_fail_is_none() -> None:
    def measure(ask: Ask, left_s: float) -> Answer:
        answer = exact(SLOW_SERVER)(ask, left_s)
        return replace(answer, failed=0.5) if ask.point.requests > 128 else answer

    found, asks = tuned(measure)
    assert found.point.concurrency == 128
    assert "concurrency 256 is out: 50 % of its pages failed" in [note for ask in asks for note in ask.notes]


def test_found_is_never_worse_than_what_was_there() -> None:
    """Where the races misled it, the last one tells."""
    machine = SLOW_SERVER

    def measure(ask: Ask, left_s: float) -> Answer:
        answer = exact(machine)(ask, left_s)
        is_last = ask.name in ("as found", "as it was")
        return replace(answer, rate=100.0 if ask.point == START else 50.0) if is_last else answer

    found, _ = tuned(measure)
    assert (found.point, found.choices) == (START, ())


@pytest.mark.parametrize("budget", [1, 5, 12])
def test_time_that_is_over_leaves_the_rest_as_it_was(budget: int) -> None:
    found, asks = tuned(exact(HEAVY_PAGES), budget=budget)
    assert 1 <= len(asks) <= budget
    assert found.point.batch_bytes == START.batch_bytes


def test_measurement_that_the_end_of_the_time_cut_says_nothing_of_its_candidate() -> None:
    def measure(ask: Ask, left_s: float) -> Answer:
        if left_s < 1:
            return Answer(None, left_s, 1.0, is_cut=True)
        return exact(HEAVY_PAGES)(ask, left_s)

    _, asks = tuned(measure, budget=30)
    assert not [note for ask in asks for note in ask.notes if note.endswith("out: ")]


def test_nothing_can_be_measured() -> None:
    found, _ = tuned(lambda ask, left_s: Answer(None, left_s, 1.0, why="it crashed"))
    assert (found.point, found.choices, found.final) == (START, (), None)


def test_one_host_is_not_sharded() -> None:
    assert "sharded" not in models_for(MODELS, hosts=1)
    assert models_for(MODELS, hosts=2) == MODELS


def test_search_begins_from_any_model() -> None:
    for model in MODELS:
        found, _ = tuned(exact(SLOW_SERVER), replace(START, model=model, concurrency=16, processes=1))
        assert SLOW_SERVER.loss(found.point) < 0.05, model


def test_race_for_batches_that_is_a_guess_changes_nothing() -> None:
    for seed in range(20):
        found, _ = tuned(noisy(HEAVY_PAGES, seed, noise=0.15))
        raced = [choice.axis for choice in found.choices]
        assert found.point.batch_bytes == START.batch_bytes or "batch_bytes" in raced
