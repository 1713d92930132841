"""Seeded choices: fixed for ever, even, independent of each other."""

from collections import Counter

from scraper.site.seeded import Draws, uniform


def test_the_row_of_a_name_never_changes() -> None:
    draws = Draws(1, "product", "1")
    assert [draws.below(100) for _ in range(5)] == [49, 63, 74, 92, 55]
    assert uniform(1, "fault", "/news/1") == 0.14380974131175994


def test_seed_purpose_and_name_each_make_another_row() -> None:
    rows = {tuple(draws.below(10**6) for _ in range(3)) for draws in (Draws(*key) for key in _keys())}
    assert len(rows) == 8


def test_choices_are_even_long_after_the_first_refill() -> None:
    draws = Draws(7, "many", "")
    counts = Counter(draws.below(10) for _ in range(20_000))
    assert set(counts) == set(range(10))
    assert all(1800 < count < 2200 for count in counts.values())


def test_both_ends_of_a_range_are_reached_and_not_passed() -> None:
    draws = Draws(7, "ends", "")
    assert {draws.between(3, 5) for _ in range(100)} == {3, 4, 5}


def test_some_gives_different_items_and_leaves_the_list_alone() -> None:
    items = list(range(10))
    picked = Draws(7, "some", "").some(items, 10)
    assert sorted(picked) == items == list(range(10))
    assert picked != items


def _keys() -> list[tuple[int, str, str]]:
    return [(seed, purpose, name) for seed in (1, 2) for purpose in ("a", "b") for name in ("1", "2")]
