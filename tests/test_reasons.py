"""Reasons of failures: counted in bounded memory, shown without what a terminal would obey."""

import pytest

from scraper.reasons import FailureLine, Ranking, advice_on, committed_failures, reasons_of, shown
from scraper.urls.canonical import key_of


def test_frequent_texts_survive_any_number_of_rare_ones():
    ranking = Ranking(kept=10)
    for number in range(1000):
        ranking.add(f"rare {number}")
        ranking.add("frequent")
    assert ranking.top(1) == [("frequent", 1000)]
    assert len(ranking.top(10_000)) <= 20


@pytest.mark.parametrize(
    ("kind", "option"),
    [("timeout", "--retry-failed=timeout"), ("invalid_url", None), ("unsupported_scheme", None)],
)
def test_option_that_tries_again_is_named_where_it_may_help(kind, option):
    assert advice_on(kind)[1] == option


def test_of_several_lines_of_a_url_only_the_last_outcome_counts():
    lines = [FailureLine("http://a/", kind, kind) for kind in ("dns", "timeout", "timeout")]
    key = key_of("http://a/")
    assert key is not None
    found = reasons_of([*lines, FailureLine("http://b/", "dns", "other")], {key: "timeout"})
    assert {kind: reasons.messages.top(9) for kind, reasons in found.items()} == {
        "timeout": [("timeout", 1)],
        "dns": [("other", 1)],
    }


def test_lines_end_at_the_committed_byte_and_broken_ones_are_left(tmp_path):
    path = tmp_path / "failures.jsonl"
    good = b'{"url":"u","error":"dns","message":"m","status":null}\n'
    path.write_bytes(good + b"{broken}\n" + good)
    assert len(list(committed_failures(path, len(good) + 9))) == 1
    assert len(list(committed_failures(path, 2 * len(good) + 9))) == 2
    assert list(committed_failures(tmp_path / "missing", 100)) == []


def test_what_comes_from_a_server_cannot_steer_the_terminal():
    assert shown("\x1b]0;title\x07 text") == "\ufffd]0;title\ufffd text"
    assert shown("x" * 500) == "x" * 120 + "…"
