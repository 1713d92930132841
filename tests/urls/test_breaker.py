"""When a host is set aside, for how long, and what its URLs are told."""

import pytest

from scraper.records import FailureKind, Fault
from scraper.urls import breaker as module
from scraper.urls.breaker import FIRST_S, MOST_IN_ROW, MOST_S, Breaker, Breakers

REFUSED = Fault("connect", "connection refused: the host may be down")


def opened(now: float = 0.0) -> Breaker:
    breaker = Breaker("a.example")
    for _ in range(MOST_IN_ROW):
        breaker.on_fault(REFUSED, True, now)
    return breaker


def test_is_set_aside_by_the_eighth_final_failure():
    breaker = Breaker("a.example")
    verdicts = [breaker.on_fault(REFUSED, True, 0.0) for _ in range(MOST_IN_ROW)]
    assert verdicts[:-1] == [None] * (MOST_IN_ROW - 1)
    assert verdicts[-1] == Fault(
        "connect",
        "a.example was set aside after 8 failures in a row (last: connection refused: the host may be down): "
        "later the same command with --retry-failed tries its URLs again",
    )


def test_faults_of_urls_that_are_tried_again_do_not_count():
    breaker = Breaker("a.example")
    assert [breaker.on_fault(REFUSED, False, 0.0) for _ in range(99)] == [None] * 99


def test_status_of_the_last_fault_is_kept():
    breaker = Breaker("a.example")
    for status in (500, 502, 503, 429, 500, 500, 500, 504):
        verdict = breaker.on_fault(Fault("http_status", f"HTTP {status}", status), True, 0.0)
    assert verdict is not None
    assert (verdict.kind, verdict.status) == ("http_status", 504)


def test_time_doubles_for_each_trial_that_fails_up_to_a_quarter_of_an_hour():
    breaker, now, times = opened(), 0.0, []
    for _ in range(2000):
        times.append(breaker.until - now)
        now = breaker.until
        assert breaker.refusal(now) is None
        assert breaker.on_fault(REFUSED, False, now) is not None
    assert times[:6] == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    assert max(times) == MOST_S


def test_late_faults_of_requests_in_flight_do_not_lengthen_the_time():
    breaker = opened()
    assert breaker.on_fault(REFUSED, True, 30.0) == breaker.last
    assert breaker.until == FIRST_S


def test_long_message_is_cut():
    breaker = Breaker("a.example")
    for _ in range(MOST_IN_ROW):
        verdict = breaker.on_fault(Fault("tls", "x" * 5000), True, 0.0)
    assert verdict is not None
    assert len(verdict.message) < 500


@pytest.mark.parametrize(
    ("kind", "status"),
    [("dns", None), ("connect", None), ("tls", None), ("timeout", None)]
    + [("http_status", status) for status in (429, 500, 503, 599)],
)
def test_faults_of_the_host_count(kind: FailureKind, status: int | None):
    breakers = Breakers()
    for _ in range(MOST_IN_ROW):
        breakers.on_fault("a", Fault(kind, "", status), True, 0.0)
    assert breakers.refusal("a", 1.0) is not None
    assert breakers.refusal("b", 1.0) is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("protocol", None),
        ("truncated", 200),
        ("decode", 200),
        ("too_large", 200),
        ("blocked_address", None),
        ("robots", None),
        ("bad_redirect", 302),
        ("http_status", 206),
        ("http_status", 403),
        ("http_status", 404),
    ],
)
def test_faults_of_a_page_do_not(kind: FailureKind, status: int | None):
    breakers = Breakers()
    for _ in range(99):
        assert breakers.on_fault("a", Fault(kind, "", status), True, 0.0) is None
    assert not breakers.book


def test_any_fault_of_a_host_that_is_set_aside_is_told_so():
    breakers = Breakers()
    for _ in range(MOST_IN_ROW):
        verdict = breakers.on_fault("a", REFUSED, True, 0.0)
    assert breakers.on_fault("a", Fault("truncated", ""), False, 1.0) == verdict


def test_an_answer_ends_all():
    breakers = Breakers()
    for _ in range(MOST_IN_ROW):
        breakers.on_fault("a", REFUSED, True, 0.0)
    assert not breakers.is_on_trial("a", FIRST_S - 1)
    assert breakers.is_on_trial("a", FIRST_S)
    breakers.on_answer("a")
    assert breakers.refusal("a", 1.0) is None
    assert not breakers.is_on_trial("a", FIRST_S)
    assert breakers.on_fault("a", REFUSED, True, 2.0) is None


def test_only_so_many_failing_hosts_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MOST_ORIGINS", 3)
    breakers = Breakers()
    for host in "abcde":
        breakers.on_fault(host, REFUSED, True, 0.0)
    assert list(breakers.book) == ["c", "d", "e"]
