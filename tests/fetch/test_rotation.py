"""Whose turn it is among the proxies, with the clock in hand."""

from scraper.fetch.rotation import MOST_DOUBTS, Rotation


def turns(rotation: Rotation, now: float, n: int) -> list[int | None]:
    return [rotation.choose(now) for _ in range(n)]


def test_they_take_turns() -> None:
    assert turns(Rotation(3), 0.0, 7) == [0, 1, 2, 0, 1, 2, 0]


def test_one_that_failed_is_left_out_until_it_has_cooled() -> None:
    rotation = Rotation(3)
    rotation.failed(1, 100.0)
    assert turns(rotation, 129.9, 4) == [0, 2, 0, 2]
    assert 1 in turns(rotation, 130.0, 3)


def test_the_cooling_doubles_up_to_ten_minutes_and_starts_anew_after_an_answer() -> None:
    rotation, now, waits = Rotation(1), 0.0, []
    for _ in range(7):
        rotation.failed(0, now)
        waits.append(rotation.wait_s(now))
        now += waits[-1]
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    rotation.worked(0, now)
    rotation.failed(0, now)
    assert rotation.wait_s(now) == 30


def test_failures_under_way_at_the_same_time_count_once() -> None:
    rotation = Rotation(1)
    for late_s in range(29):
        rotation.failed(0, 100.0 + late_s)
    assert rotation.wait_s(100.0) == 30


def test_an_answer_that_was_under_way_does_not_end_a_cooling() -> None:
    rotation = Rotation(1)
    rotation.failed(0, 0.0)
    rotation.worked(0, 10.0)
    assert rotation.choose(29.0) is None
    rotation.failed(0, 30.0)
    assert rotation.wait_s(30.0) == 60


def test_all_cooling_gives_none_and_the_shortest_wait() -> None:
    rotation = Rotation(2)
    rotation.failed(0, 0.0)
    rotation.failed(1, 10.0)
    assert rotation.choose(20.0) is None
    assert rotation.wait_s(20.0) == 10
    assert rotation.wait_s(31.0) == 0


def test_those_tried_are_not_chosen_again() -> None:
    rotation = Rotation(3)
    assert [rotation.choose(0.0, {0, 2}), rotation.choose(0.0, {0, 1, 2})] == [1, None]


def test_silence_is_the_proxys_fault_only_where_nothing_else_comes() -> None:
    rotation = Rotation(1)
    for _ in range(5):
        for _ in range(MOST_DOUBTS - 1):
            rotation.doubted(0, 0.0)
        rotation.worked(0, 0.0)
    assert rotation.choose(0.0) == 0
    for _ in range(MOST_DOUBTS):
        rotation.doubted(0, 0.0)
    assert rotation.choose(0.0) is None
