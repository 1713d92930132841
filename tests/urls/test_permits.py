"""The book of origins: who waits, who asks, and what an answer means for those who waited."""

import pytest

from scraper.records import Fault, Job, SourceLine, Target
from scraper.urls.canonical import target_from
from scraper.urls.permits import DAY_S, RETRY_S, Permits, Wait, answer_to, first_hop
from scraper.urls.robots import ALLOW_ALL

MAX_DELAY_S = 60.0


def job(url: str) -> Job:
    target = target_from(SourceLine(url))
    assert isinstance(target, Target)
    return first_hop(target)


def book() -> Permits:
    return Permits(frozenset({"ourbot"}), MAX_DELAY_S)


def ask(permits: Permits, asked: Job, now: float = 0.0) -> Job:
    verdict = permits.judge(asked, now)
    assert isinstance(verdict, Wait)
    assert verdict.ask is not None
    return verdict.ask


def rules(permits: Permits, *lines: str):
    return permits.read("\n".join(("User-agent: *", *lines)).encode())


def test_the_first_job_of_an_origin_asks_and_the_others_wait_with_it() -> None:
    permits, first, second = book(), job("http://a.example/1"), job("http://a.example/2")
    asked = ask(permits, first)
    assert asked.url == "http://a.example/robots.txt"
    assert permits.judge(second, 0.0) == Wait(None)
    assert permits.waiting == 2
    assert permits.settle(asked, ALLOW_ALL, 0.0) == [first, second]
    assert permits.waiting == 0
    assert permits.judge(first, 0.0) is None


@pytest.mark.parametrize("other", ["https://a.example/", "http://a.example:8080/", "http://b.example/"])
def test_scheme_host_and_port_make_an_origin(other: str) -> None:
    permits = book()
    permits.settle(ask(permits, job("http://a.example/")), ALLOW_ALL, 0.0)
    assert ask(permits, job(other)).url.endswith("/robots.txt")


def test_a_forbidden_page_is_a_fault_that_names_the_rule() -> None:
    permits = book()
    permits.settle(ask(permits, job("http://a.example/")), rules(permits, "Disallow: /private/"), 0.0)
    fault = permits.judge(job("http://a.example/private/x"), 1.0)
    assert isinstance(fault, Fault)
    assert (fault.kind, "Disallow: /private/" in fault.message) == ("robots", True)
    assert permits.judge(job("http://a.example/public"), 1.0) is None


def test_rules_are_asked_for_again_after_a_day() -> None:
    permits = book()
    permits.settle(ask(permits, job("http://a.example/")), ALLOW_ALL, 0.0)
    assert permits.judge(job("http://a.example/"), DAY_S - 1) is None
    assert ask(permits, job("http://a.example/"), DAY_S)


@pytest.mark.parametrize(
    ("fault", "allows"),
    [
        (Fault("http_status", "HTTP 404", 404), True),
        (Fault("http_status", "HTTP 403", 403), True),
        (Fault("http_status", "HTTP 429", 429), False),
        (Fault("http_status", "HTTP 503", 503), False),
        (Fault("timeout", "no answer"), False),
        (Fault("truncated", "cut"), False),
        (Fault("too_many_redirects", "6"), True),
        (Fault("bad_redirect", "to nowhere"), True),
    ],
)
def test_what_a_robots_txt_that_cannot_be_had_means(fault: Fault, allows: bool) -> None:
    permits = book()
    permits.settle(ask(permits, job("http://a.example/")), answer_to(fault), 0.0)
    verdict = permits.judge(job("http://a.example/"), 1.0)
    assert verdict is None if allows else isinstance(verdict, Fault) and verdict.kind == "robots"


@pytest.mark.parametrize("kind", ["dns", "connect", "tls", "blocked_address"])
def test_a_fault_that_the_page_would_meet_itself_keeps_its_name(kind) -> None:
    permits, fault = book(), Fault(kind, "why")
    permits.settle(ask(permits, job("http://a.example/")), answer_to(fault), 0.0)
    assert permits.judge(job("http://a.example/"), 1.0) == fault


def test_an_origin_that_failed_is_asked_again_later() -> None:
    permits = book()
    permits.settle(ask(permits, job("http://a.example/")), Fault("timeout", "no answer"), 0.0)
    assert isinstance(permits.judge(job("http://a.example/"), RETRY_S - 1), Fault)
    assert ask(permits, job("http://a.example/"), RETRY_S)


def test_a_crawl_delay_is_obeyed_up_to_the_longest_wait_and_refused_beyond() -> None:
    permits = book()
    assert permits.crawl_delay_s(rules(permits, "Crawl-delay: 60")) == MAX_DELAY_S
    assert permits.crawl_delay_s(rules(permits, "Crawl-delay: 61")) is None
    permits.settle(ask(permits, job("http://a.example/")), rules(permits, "Crawl-delay: 61"), 0.0)
    fault = permits.judge(job("http://a.example/"), 0.0)
    assert isinstance(fault, Fault)
    assert (fault.kind, "61 s" in fault.message, "politeness.max_wait" in fault.message) == ("robots", True, True)


def test_robots_of_an_origin_reached_from_elsewhere_are_a_hop_of_the_page_that_leads_there() -> None:
    permits, page = book(), job("http://a.example/")
    hop = Job(page.target, "http://127.0.0.1/x", "127.0.0.1", hop=1)
    asked = ask(permits, hop)
    assert (asked.target.host, asked.target.href) == (page.target.host, page.target.href)
    permits.settle(asked, Fault("blocked_address", "loopback"), 0.0)
    assert isinstance(permits.judge(hop, 0.0), Fault)
    listed = job("http://127.0.0.1/x")  # the input names it itself: the fault above says nothing of it
    assert ask(permits, listed).target.host == "127.0.0.1"


def test_another_try_asks_for_the_same_robots_txt() -> None:
    asked = ask(book(), job("http://a.example/page"))
    assert first_hop(asked.target, 2).url == asked.url


def test_the_book_forgets_the_oldest_origin_that_nobody_waits_for(monkeypatch) -> None:
    monkeypatch.setattr("scraper.urls.permits.MOST_ORIGINS", 2)
    permits = book()
    pending = ask(permits, job("http://pending.example/"))
    for host in ("a", "b"):
        permits.settle(ask(permits, job(f"http://{host}.example/")), ALLOW_ALL, 0.0)
    assert ask(permits, job("http://a.example/"))
    assert permits.settle(pending, ALLOW_ALL, 0.0)
