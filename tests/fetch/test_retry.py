"""Which faults are tried again, when, and what is said where they are not."""

from collections.abc import Callable
from random import Random

import pytest

from scraper.fetch.retry import RetryPolicy, may_pass
from scraper.records import FailureKind, Fault, Job

MakeJob = Callable[..., Job]


@pytest.fixture
def job(job_for: MakeJob) -> Job:
    return job_for("http://a.example/")


@pytest.mark.parametrize("kind", ["dns", "connect", "timeout", "protocol", "truncated"])
def test_faults_of_the_network_may_pass(kind: FailureKind) -> None:
    assert may_pass(Fault(kind, ""))


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 527, 529, 530])
def test_statuses_of_the_moment_may_pass(status: int) -> None:
    assert may_pass(Fault("http_status", "", status))


@pytest.mark.parametrize(
    "fault",
    [Fault("http_status", "", status) for status in (400, 401, 403, 404, 410, 451, 501, 505)]
    + [
        Fault("tls", ""),
        Fault("decode", "", 200),
        Fault("too_large", "", 200),
        Fault("blocked_address", ""),
        Fault("bad_redirect", "", 302),
        Fault("too_many_redirects", "", 302),
    ],
)
def test_what_stays_as_it_is_is_not_tried_again(job: Job, fault: Fault) -> None:
    assert RetryPolicy(5).decide(job, fault).wait_s is None


def test_waits_double_up_to_the_cap_less_at_most_half_by_chance(job_for: MakeJob) -> None:
    policy = RetryPolicy(10, base_s=0.5, cap_s=3.0, rng=Random(1))
    waits = [policy.decide(job_for("http://a.example/", attempt=n), Fault("timeout", "")).wait_s for n in range(1, 7)]
    for wait, longest in zip(waits, [0.5, 1.0, 2.0, 3.0, 3.0, 3.0], strict=True):
        assert wait is not None
        assert longest / 2 <= wait <= longest


def test_the_same_seed_gives_the_same_waits(job: Job) -> None:
    first, second = (RetryPolicy(3, rng=Random(7)).decide(job, Fault("dns", "")) for _ in range(2))
    assert first == second


def test_gives_up_after_the_last_try(job_for: MakeJob) -> None:
    fault = Fault("connect", "refused")
    assert RetryPolicy(2).decide(job_for("http://a.example/", attempt=2), fault).wait_s is not None
    decision = RetryPolicy(2).decide(job_for("http://a.example/", attempt=3), fault)
    assert (decision.wait_s, decision.fault) == (None, fault)


def test_no_retries_means_one_try(job: Job) -> None:
    assert RetryPolicy(0).decide(job, Fault("timeout", "")).wait_s is None


def test_never_asks_before_retry_after_and_the_whole_host_waits(job: Job) -> None:
    decision = RetryPolicy(2, base_s=0.1).decide(job, Fault("http_status", "", 429, retry_after_s=20.0))
    assert (decision.wait_s, decision.hold_host_s) == (20.0, 20.0)


def test_a_429_without_retry_after_holds_the_host_for_the_backoff(job: Job) -> None:
    decision = RetryPolicy(2, base_s=1.0).decide(job, Fault("http_status", "", 429))
    assert decision.wait_s == decision.hold_host_s
    assert decision.hold_host_s >= 0.5


def test_a_500_holds_no_other_url(job: Job) -> None:
    assert RetryPolicy(2).decide(job, Fault("http_status", "", 500)).hold_host_s == 0


def test_a_wait_longer_than_allowed_is_refused_with_the_reason(job: Job) -> None:
    decision = RetryPolicy(2, max_wait_s=60).decide(job, Fault("http_status", "HTTP 429", 429, retry_after_s=3600.0))
    assert decision.wait_s is None
    assert "3,600 s" in decision.fault.message
    assert "politeness.max_wait" in decision.fault.message
    assert decision.hold_host_s == 60


def test_retry_after_can_be_disregarded(job: Job) -> None:
    policy = RetryPolicy(2, base_s=0.5, respect_retry_after=False)
    wait_s = policy.decide(job, Fault("http_status", "", 429, retry_after_s=3600.0)).wait_s
    assert wait_s is not None
    assert wait_s <= 0.5


def test_base_zero_means_no_wait(job: Job) -> None:
    assert RetryPolicy(2, base_s=0.0).decide(job, Fault("timeout", "")).wait_s == 0


def test_a_host_in_trouble_for_long_is_held_for_longer_than_the_url_waits(job: Job) -> None:
    policy = RetryPolicy(2, base_s=0.5, cap_s=60.0, rng=Random(1))
    holds = [policy.decide(job, Fault("http_status", "", 503), streak).hold_host_s for streak in range(1, 9)]
    for hold_s, longest in zip(holds, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0], strict=True):
        assert longest / 2 <= hold_s <= longest
    decision = policy.decide(job, Fault("http_status", "", 503), 8)
    assert decision.wait_s is not None
    assert decision.wait_s <= 0.5, "the URL has its own count; its host is not ready before the hold is over"


def test_hold_is_bounded_by_what_a_server_may_ask_for(job: Job) -> None:
    policy = RetryPolicy(2, base_s=0.5, cap_s=3600.0, max_wait_s=7.0)
    assert policy.decide(job, Fault("http_status", "", 503), 1000).hold_host_s == 7.0


def test_retry_after_counts_where_it_is_longer_than_the_hosts_backoff(job: Job) -> None:
    decision = RetryPolicy(2, base_s=0.5).decide(job, Fault("http_status", "", 503, retry_after_s=30.0), 3)
    assert decision.hold_host_s == 30.0


@pytest.mark.parametrize("kind", ["dns", "connect", "timeout", "protocol", "truncated"])
def test_only_answers_that_speak_of_the_whole_host_hold_it(job: Job, kind: FailureKind) -> None:
    assert RetryPolicy(2).decide(job, Fault(kind, ""), 5).hold_host_s == 0
