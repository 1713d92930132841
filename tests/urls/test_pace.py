"""The pace of one host: cut by trouble, once a round trip; raised by good answers while latency is steady."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.records import FailureKind, Fault
from scraper.urls.pace import (
    GAP_MOST_S,
    LEAST_LATENCY_S,
    MOST_PATIENCE,
    SILENT_GAP_MOST_S,
    HostLimits,
    Pace,
    sign_of,
)


class Asked:
    """A pace, and a clock that moves on by each answer's latency."""

    def __init__(self, per_host: int = 8, delay_s: float = 0.0, adaptive: bool = True) -> None:
        self.pace = Pace(HostLimits(per_host, delay_s, adaptive))
        self.now = 100.0

    def answer(self, sign, latency_s: float = 0.1, count: int = 1) -> None:
        for _ in range(count):
            sent_at, self.now = self.now, self.now + latency_s
            self.pace.on_answer(latency_s, sign, sent_at, self.now)

    @property
    def state(self) -> tuple[int, float]:
        return self.pace.allowed, self.pace.gap_s


def test_begins_at_the_limits():
    assert Asked(8, 0.5).state == (8, 0.5)
    assert not Asked().pace.is_changed


@pytest.mark.parametrize("sign", ["trouble", "silence"])
def test_trouble_halves_down_to_one(sign):
    asked = Asked(9)
    seen = []
    for _ in range(3):
        asked.answer(sign)
        seen.append(asked.state)
    assert seen == [(4, 0.0), (2, 0.0), (1, 0.0)]


def test_burst_that_fails_as_one_is_cut_once():
    asked = Asked(8)
    sent_at = asked.now
    for _ in range(8):
        asked.now += 0.01
        asked.pace.on_answer(asked.now - sent_at, "trouble", sent_at, asked.now)
    assert asked.state == (4, 0.0)
    asked.answer("trouble")
    assert asked.state == (2, 0.0)


def test_below_one_a_gap_doubles_from_the_usual_latency_up_to_its_cap():
    asked = Asked(1)
    asked.answer("good", 0.1)
    gaps = []
    for _ in range(9):
        asked.answer("trouble", 0.1)
        gaps.append(asked.pace.gap_s)
    assert gaps[:4] == pytest.approx([0.2, 0.4, 0.8, 1.6])
    assert gaps[-1] == GAP_MOST_S


def test_gap_stays_short_where_nobody_answers():
    asked = Asked(1)
    asked.answer("silence", 0.001, count=20)
    assert asked.state == (1, SILENT_GAP_MOST_S)


def test_silence_does_not_shorten_a_gap_that_trouble_made():
    asked = Asked(1)
    asked.answer("trouble", 1.0, count=6)
    asked.answer("silence", 1.0)
    assert asked.pace.gap_s == GAP_MOST_S


def test_gap_begins_at_the_configured_delay():
    asked = Asked(1, delay_s=3.0)
    asked.answer("good", 0.1)
    asked.answer("trouble", 0.1)
    assert asked.pace.gap_s == 6.0


def test_delay_above_the_cap_is_kept():
    asked = Asked(1, delay_s=60.0)
    asked.answer("trouble", count=5)
    assert asked.pace.gap_s == 60.0


def test_what_a_delay_keeps_from_being_used_is_cut_at_once():
    """8 are allowed, but with 1 s between two starts and answers in 0.1 s no two are ever in flight."""
    asked = Asked(8, delay_s=1.0)
    asked.answer("good", 0.1)
    asked.answer("trouble", 0.1)
    assert asked.state == (1, 2.0)


def test_rises_by_one_for_each_window_of_good_answers_up_to_the_limit():
    asked = Asked(8)
    asked.answer("trouble")
    windows = []
    for allowed in (4, 5, 6, 7):
        asked.answer("good", count=allowed - 1)
        windows.append(asked.pace.allowed)
        asked.answer("good")
    assert windows == [4, 5, 6, 7]
    asked.answer("good", count=100)
    assert asked.state == (8, 0.0)
    assert not asked.pace.is_changed


def test_gap_shrinks_by_a_quarter_a_step_and_then_more_at_once_are_allowed():
    asked = Asked(2, delay_s=0.0)
    asked.answer("good", 0.1)
    asked.answer("trouble", 0.1, count=4)
    assert asked.state == (1, pytest.approx(0.8))
    steps = []
    while asked.pace.is_slowed:
        asked.answer("good", 0.1)
        steps.append(asked.state)
    assert [gap for _, gap in steps[:3]] == pytest.approx([0.6, 0.45, 0.3375])
    assert steps[-2:] == [(1, 0.0), (2, 0.0)]


def test_answers_to_requests_of_before_the_cut_raise_nothing():
    asked = Asked(2)
    asked.answer("trouble")
    asked.pace.on_answer(0.1, "good", 0.0, asked.now)
    assert asked.state == (1, 0.0)
    asked.answer("good")
    assert asked.state == (2, 0.0)


def test_does_not_rise_while_latency_is_far_above_its_median():
    asked = Asked(8)
    asked.answer("good", 0.1, count=20)
    asked.answer("trouble")
    asked.answer("good", 0.5, count=8)
    assert asked.state == (4, 0.0)
    asked.answer("good", 0.1, count=8)
    assert asked.pace.allowed > 4


def test_a_latency_that_stays_higher_becomes_the_usual_one():
    asked = Asked(8)
    asked.answer("good", 0.1, count=20)
    asked.answer("trouble")
    asked.answer("good", 0.5, count=100)
    assert asked.state == (8, 0.0)


def test_host_that_takes_one_at_a_time_is_asked_for_two_more_and_more_seldom():
    asked = Asked(8)
    asked.answer("trouble", count=3)
    between, good = [], 0
    for _ in range(150):
        if asked.pace.allowed == 1:
            asked.answer("good")
            good += 1
        else:
            asked.answer("trouble")
            between.append(good)
            good = 0
    assert between[:6] == [1, 2, 4, 8, MOST_PATIENCE, MOST_PATIENCE]
    assert asked.pace.gap_s == 0.0


def test_patience_ends_when_a_rise_holds():
    asked = Asked(8)
    asked.answer("trouble", count=3)
    for _ in range(3):
        while asked.pace.allowed == 1:
            asked.answer("good")
        asked.answer("trouble")
    while asked.pace.allowed < 8:
        asked.answer("good")
    asked.answer("good", count=8 * MOST_PATIENCE)
    asked.answer("trouble")
    asked.answer("good", count=4)
    assert asked.pace.allowed == 5


def test_without_adaption_answers_change_nothing_but_the_streak():
    asked = Asked(8, 0.5, adaptive=False)
    asked.answer("trouble", count=5)
    assert (asked.state, asked.pace.streak) == ((8, 0.5), 5)
    asked.answer("good")
    assert (asked.state, asked.pace.streak) == ((8, 0.5), 0)


@pytest.mark.parametrize(("adaptive", "after"), [(False, 8), (True, 2)])
def test_restart_allows_one_until_an_answer_is_good(adaptive, after):
    asked = Asked(8, adaptive=adaptive)
    asked.pace.restart()
    assert asked.state == (1, 0.0)
    asked.answer("good")
    assert asked.state == (after, 0.0)


def test_delay_asked_for_holds_with_one_at_a_time_and_ends_with_zero():
    asked = Asked(8, 0.5)
    asked.pace.ask_delay(2.0)
    assert asked.state == (1, 2.0)
    asked.answer("good", count=100)
    assert asked.state == (1, 2.0)
    assert asked.pace.is_changed
    asked.pace.ask_delay(0)
    asked.answer("good", count=1000)
    assert asked.state == (8, 0.5)


@given(
    per_host=st.integers(1, 70),
    delay_s=st.sampled_from([0.0, 0.5, 30.0]),
    answers=st.lists(
        st.tuples(st.sampled_from(["good", "trouble", "silence"]), st.sampled_from([0.0, 0.01, 0.3, 40.0])), max_size=80
    ),
)
def test_never_above_the_limits_and_always_back_at_them(per_host, delay_s, answers):
    asked = Asked(per_host, delay_s)
    for sign, latency_s in answers:
        asked.answer(sign, latency_s)
        assert 1 <= asked.pace.allowed <= per_host
        assert delay_s <= asked.pace.gap_s <= max(delay_s, GAP_MOST_S)
    asked.answer("good", LEAST_LATENCY_S, count=(per_host * per_host + 60) * MOST_PATIENCE)
    assert asked.state == (per_host, delay_s)


@pytest.mark.parametrize(
    ("kind", "status", "sign"),
    [
        ("http_status", 429, "trouble"),
        ("http_status", 503, "trouble"),
        ("http_status", 500, "good"),
        ("http_status", 404, "good"),
        ("timeout", None, "silence"),
        ("connect", None, "silence"),
        ("dns", None, None),
        ("tls", None, None),
        ("protocol", None, None),
        ("truncated", 200, None),
        ("too_large", 200, None),
        ("blocked_address", None, None),
    ],
)
def test_what_a_fault_says_of_the_load(kind: FailureKind, status: int | None, sign):
    assert sign_of(Fault(kind, "", status)) == sign
