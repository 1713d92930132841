"""Redirects: where they lead, and where they end."""

from collections.abc import Callable

import pytest

from scraper.fetch.hops import next_hop
from scraper.records import Fault, Job, Redirect

MakeJob = Callable[..., Job]


@pytest.mark.parametrize(
    ("location", "url", "host"),
    [
        ("/new", "http://a.example/new", "a.example"),
        ("new?x#part", "http://a.example/dir/new?x", "a.example"),
        ("//b.example/", "http://b.example/", "b.example"),
        ("https://B.example:443/x", "https://b.example/x", "b.example"),
        ("http://u:p@b.example/", "http://b.example/", "b.example"),
        ("/caf\u00e9", "http://a.example/caf%C3%A9", "a.example"),
        ("http://[::1]:80/", "http://[::1]/", "::1"),
        ("http://2130706433/", "http://127.0.0.1/", "127.0.0.1"),
        ("http://0251.0376.0251.0376/", "http://169.254.169.254/", "169.254.169.254"),
    ],
)
def test_location_is_resolved_against_the_hop_that_sent_it(
    job_for: MakeJob, location: str, url: str, host: str
) -> None:
    job = job_for("http://a.example/dir/page", attempt=2, hop=1, spent_s=1.0)
    hop = next_hop(job, Redirect(location, 302, took_s=0.5), 10)
    assert hop == Job(job.target, url, host, attempt=2, hop=2, spent_s=1.5)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://",
        "http://h:99999/",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://a/",
        "javascript:1",
        "mailto:a@b",
    ],
)
def test_what_is_no_web_page_is_a_bad_redirect(job_for: MakeJob, location: str) -> None:
    hop = next_hop(job_for("http://a.example/"), Redirect(location, 302), 10)
    assert isinstance(hop, Fault)
    assert (hop.kind, hop.status) == ("bad_redirect", 302)


def test_a_chain_ends_at_the_limit(job_for: MakeJob) -> None:
    job, hops = job_for("http://a.example/"), 0
    while isinstance(hop := next_hop(job, Redirect("/", 301), 3), Job):
        job, hops = hop, hops + 1
    assert hops == 3
    assert (hop.kind, hop.status) == ("too_many_redirects", 301)
    assert "fetch.max_redirects" in hop.message


def test_no_redirects_allowed(job_for: MakeJob) -> None:
    hop = next_hop(job_for("http://a.example/"), Redirect("/x", 301), 0)
    assert isinstance(hop, Fault)
    assert hop.kind == "too_many_redirects"


def test_a_password_in_a_location_is_never_shown(job_for: MakeJob) -> None:
    hop = next_hop(job_for("http://a.example/"), Redirect("ftp://joe:secret@b.example/", 302), 10)
    assert isinstance(hop, Fault)
    assert "secret" not in hop.message
