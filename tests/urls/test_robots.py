"""robots.txt as RFC 9309 reads it: groups, longest match, wildcards, one spelling for each octet."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.urls.robots import MAX_BYTES, agent_names, normal, parse_robots, path_of

CASES = Path(__file__).parents[3] / "shared" / "cases" / "robots"
US = frozenset({"ourbot"})
OTHERWISE = {
    # Disallows all to who will not wait an hour; here the delay is told apart from the rules (politeness.max_wait).
    "testBigCrawlDelay": 1,
}


def allows(robots: str, path: str, agents: frozenset[str] = US) -> bool:
    return parse_robots(robots.encode(), agents).forbidding(f"http://a.example{path}") is None


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")
def test_shared_cases_but_those_that_the_rfc_does_not_know() -> None:
    wrong: dict[str, int] = {}
    for file in sorted(CASES.glob("*.jsonl")):
        for case in map(json.loads, file.read_text().splitlines()):
            body = case["robots"].encode("utf-8", "surrogateescape")
            found = parse_robots(body, agent_names(case["agent"])).forbidding(case["url"]) is None
            if found != case["allowed"]:
                wrong[case["id"]] = wrong.get(case["id"], 0) + 1
    assert wrong == OTHERWISE


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("Disallow: /", "/", False),
        ("Disallow:", "/", True),
        ("Disallow: /a", "/ab", False),
        ("Disallow: /a/", "/a", True),
        ("Disallow: /a", "/A", True),  # paths are case-sensitive
        ("Allow: /a\nDisallow: /", "/a/b", True),
        ("Disallow: /a\nAllow: /a", "/a", True),  # as long: allow
        ("Disallow: /a/b\nAllow: /a", "/a/b", False),
        ("Disallow: /*.gif$", "/x.gif", False),
        ("Disallow: /*.gif$", "/x.gif?y", True),
        ("Disallow: /*.gif", "/x.gif?y", False),
        ("Disallow: /a*b*c", "/a1b2", True),
        ("Disallow: /a*b*c", "/a1b2c3", False),
        ("Disallow: /a**b", "/ab", False),
        ("Disallow: /a$", "/a", False),
        ("Disallow: /a$", "/ab", True),
        ("Disallow: *b", "/ab", False),
        ("Disallow: /*ab$", "/ab/abab", False),
        ("Disallow: /ab*b$", "/ab", True),  # the same b cannot serve twice
        ("Disallow: /?q", "/?q=1", False),
        ("Disallow: /", "/robots.txt", True),
        ("Disallow: /%7ejoe", "/~joe", False),
        ("Disallow: /~joe", "/%7Ejoe", False),
        ("Disallow: /a%2fb", "/a%2Fb", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("Disallow: /caf\u00e9", "/caf%C3%A9", False),
        ("Disallow: /a%2A", "/a*", False),
        ("Disallow: /a%2A", "/ab", True),
        ("Disallow: /a%24", "/a$b", False),
        ("Allow: /index.html\nDisallow: /", "/", True),
    ],
)
def test_rules(rules: str, path: str, allowed: bool) -> None:
    assert allows(f"User-agent: *\n{rules}", path) == allowed


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        ("User-agent: ourbot\nDisallow: /", False),
        ("User-agent: OurBot/2.0\nDisallow: /", False),
        ("User-agent: other\nDisallow: /", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: ourbot\nDisallow:", True),
        ("User-agent: a\nUser-agent: ourbot\nDisallow: /", False),
        ("User-agent: ourbot\nSitemap: /s\nUser-agent: b\nDisallow: /", False),
        ("User-agent: ourbot\nDisallow: /x\n\nUser-agent: ourbot\nDisallow: /", False),
        ("Disallow: /", True),  # of no group
        ("user-agent:ourbot\rdisallow:/", False),
        ("\ufeffUser-agent: ourbot\nDisallow: / # all of it", False),
        ("User-agent: ourbot\nNoindex: /\n\x00\x01garbage\nDisallow: /", False),
    ],
)
def test_groups(robots: str, allowed: bool) -> None:
    assert allows(robots, "/page") == allowed


@pytest.mark.parametrize(
    ("value", "delay"),
    [("2", 2.0), ("0.5", 0.5), ("-1", None), ("nan", None), ("1e999", None), ("soon", None), ("", None)],
)
def test_crawl_delay_is_a_number_of_seconds_or_nothing(value: str, delay: float | None) -> None:
    assert parse_robots(f"User-agent: *\nCrawl-delay: {value}".encode(), US).crawl_delay == delay


def test_what_stands_behind_the_first_500_kib_is_not_read() -> None:
    robots = "#" * (MAX_BYTES - 1) + "\nUser-agent: *\nDisallow: /"
    assert allows(robots, "/")


@pytest.mark.parametrize(
    "robots",
    [
        "User-agent: *\nDisallow: /" + "*a" * 100_000 + "b",
        "User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*a*b\n" * 5000,
        "<" * MAX_BYTES,
        "User-agent " * 40_000,
        "User-agent: a\n" * 30_000,
    ],
    ids=["a rule of stars", "many rules of stars", "markup that never ends", "a long line", "many agents"],
)
def test_a_hostile_file_is_read_and_asked_in_a_moment(robots: str) -> None:
    started = time.process_time()
    parse_robots(robots.encode(), US).forbidding("http://a.example/" + "a" * 4000)
    assert time.process_time() - started < 5


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_are_read_and_any_path_is_asked(body: bytes, path: str) -> None:
    parse_robots(body, US).forbidding("http://a.example/" + path)
    parse_robots(b"User-agent: *\n" + body, US).forbidding("http://a.example/" + path)


@given(st.lists(st.sampled_from(["a", "b", "*", "$", "/"]), max_size=8), st.text("ab/", max_size=12))
def test_wildcards_match_as_the_regular_expression_they_mean(pieces: list[str], path: str) -> None:

    pattern = "/" + "".join(pieces)
    anchored = pattern.endswith("$")
    meant = ".*".join(re.escape(normal(piece)) for piece in (pattern[:-1] if anchored else pattern).split("*"))
    expected = re.match(meant + ("$" if anchored else ""), path_of(f"http://a.example/{path}")) is not None
    assert allows(f"User-agent: *\nDisallow: {pattern}", f"/{path}") == (not expected)
