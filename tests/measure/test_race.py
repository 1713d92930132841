"""Races between candidates whose true speed is known: who wins, who is dropped, when it ends."""

import random
from math import exp

import pytest

from scraper.measure.tune.race import (
    LEAST_ROUNDS,
    MOST_ROUNDS,
    PRIOR_NOISE,
    Noise,
    Race,
    Verdict,
    middle_mean,
    student_t,
)

Rates = dict[str, float]


def run(
    rates: Rates, *, noise: float = 0.02, slack: float = 0.01, seed: int = 1, slowing: float = 0.0, held_up: float = 0.0
) -> tuple[Verdict[str], Race[str], int]:
    """Race candidates of the given true rates on a machine that slows down by `slowing` with each measurement."""
    chance, race, measured = random.Random(seed), Race[str](list(rates), slack), 0
    while candidates := race.next_round():
        for candidate in candidates:
            measured += 1
            hold = 0.6 if chance.random() < held_up else 1.0
            race.add(candidate, rates[candidate] * exp(chance.gauss(0, noise) - slowing * measured) * hold)
        race.drop_losers()
    return race.verdict(), race, measured


def share_of_wins(winner: str, rates: Rates, **how: float) -> float:
    return sum(run(rates, seed=seed, **how)[0].winner == winner for seed in range(100)) / 100  # type: ignore[arg-type]


@pytest.mark.parametrize(("freedom", "tabled"), [(4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (1000, 1.962)])
def test_students_t_is_as_tabled(freedom: int, tabled: float) -> None:
    assert student_t(freedom) == pytest.approx(tabled, rel=0.005)


def test_noise_is_what_neither_round_nor_candidate_explains() -> None:
    rounds = [[candidate + number for candidate in (1.0, 3.0, 9.0)] for number in (0.0, -2.0, 5.0)]
    assert Noise(0.0, 0).with_rounds(rounds).squares == pytest.approx(0)
    assert Noise(0.0, 0).with_rounds([[0.1, 0.0], [0.0, 0.1]]) == Noise(pytest.approx(0.01), 1)


def test_noise_is_found_whatever_was_believed_before() -> None:
    for noise in (0.01, 0.2):
        verdict, _, _ = run(dict.fromkeys("abcdef", 100.0), noise=noise)
        assert abs(verdict.noise.deviation - noise) < abs(PRIOR_NOISE - noise)


def test_the_faster_wins() -> None:
    assert share_of_wins("b", {"a": 100.0, "b": 110.0, "c": 90.0}) >= 0.98


def test_of_equals_the_plainer_wins_mostly_and_a_hair_does_not_count() -> None:
    assert share_of_wins("a", {"a": 100.0, "b": 100.0}, slack=0.02) >= 0.8
    assert share_of_wins("a", {"a": 99.5, "b": 100.0}, slack=0.02) >= 0.7


def test_what_is_hopeless_is_measured_once_only() -> None:
    _, race, measured = run({"slow": 40.0, "a": 100.0, "b": 101.0})
    assert list(race.dropped) == ["slow"]
    assert 55 <= int(race.dropped["slow"].removesuffix(" % behind")) <= 65
    assert measured == 1 + 2 * race.rounds


def test_clear_race_ends_as_soon_as_it_may_and_an_open_one_does_end() -> None:
    assert run({"a": 100.0, "b": 130.0, "c": 101.0}, noise=0.01)[1].rounds <= LEAST_ROUNDS
    ends = [run(dict.fromkeys("abcd", 100.0), noise=0.1, seed=seed)[:2] for seed in range(20)]
    assert max(race.rounds for _, race in ends) == MOST_ROUNDS
    assert not all(verdict.is_sure for verdict, _ in ends)


def test_machine_that_slows_down_hurts_all_alike() -> None:
    rates = {"a": 100.0, "b": 110.0, "c": 100.0}
    assert share_of_wins("b", rates, slowing=0.03) >= 0.95


def test_run_that_was_held_up_decides_nothing() -> None:
    assert share_of_wins("b", {"a": 100.0, "b": 120.0, "c": 90.0}, held_up=0.03) >= 0.97
    assert middle_mean([4.6, 4.61, 3.9]) == pytest.approx(4.605)


def test_what_cannot_be_measured_is_out_and_the_rest_goes_on() -> None:
    race = Race[str](["a", "b"], 0.01)
    race.drop("a", "it crashed")
    assert race.next_round() == ["b"]
    race.add("b", 10.0)
    assert race.next_round() == []
    assert race.verdict().winner == "b"
    assert race.dropped == {"a": "it crashed"}


def test_nobody_was_measured() -> None:
    race = Race[str](["a"], 0.01)
    assert not race.has_rates
    with pytest.raises(ValueError, match="no candidate"):
        race.verdict()


def test_ratios_come_from_the_rounds_both_were_in() -> None:
    race = Race[str](["a", "b"], 0.01)
    for a, b in ((100.0, 50.0), (10.0, 5.0)):
        race.add("a", a)
        race.add("b", b)
    race.add("a", 1.0)  # a round that was cut off
    verdict = race.verdict()
    assert verdict.of("b").ratio == pytest.approx(0.5)
    assert (verdict.of("a").measured, verdict.of("b").measured) == (3, 2)
    with pytest.raises(KeyError):
        verdict.of("c")


def test_one_measured_ahead_waits_for_the_others() -> None:
    race = Race[str](["a"], 0.01)
    race.add("a", 1.0)
    race.enter("b")
    race.enter("b")
    assert race.next_round() == ["b"]
    race.rank(lambda one: -ord(one))
    assert race.candidates == ["b", "a"]


def test_circle_has_a_winner_too() -> None:
    """Each of three is ahead of the next one in the rounds that count for the two of them."""
    race = Race[str](["a", "b", "c"], 0.01)
    for rates in ((1849, 2072, 1313), (2351, 1277, 2271), (2044, 2510, 2780)):
        for candidate, rate in zip("abc", rates, strict=True):
            race.add(candidate, rate)
    verdict = race.verdict()
    assert verdict.winner == "a"
    assert max(one.ratio for one in verdict.standings) > 1
    assert not verdict.is_sure
