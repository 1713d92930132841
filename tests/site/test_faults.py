"""Which page misbehaves and how long it takes."""

from collections import Counter

import pytest

from scraper.site.faults import Turns, delay_of, fault_of, fault_shares
from scraper.site.options import FAULT_NAMES, SiteOptions

PATHS = [f"/shop/item/{number}" for number in range(1, 4001)]
MIXED = SiteOptions(not_found=0.02, rate_limited=0.1, flaky=0.1, slow=0.05, cut=0.2, redirect=0.3)


def test_each_fault_gets_about_its_share_and_the_rest_is_good() -> None:
    shares = fault_shares(MIXED)
    counts = Counter(fault_of(shares, MIXED.seed, path) for path in PATHS)
    for name in FAULT_NAMES:
        assert counts[name] == pytest.approx(getattr(MIXED, name) * len(PATHS), rel=0.25)
    assert counts[None] == pytest.approx(0.23 * len(PATHS), rel=0.25)


def test_a_page_keeps_its_fault_whatever_the_order_of_asking() -> None:
    shares = fault_shares(MIXED)
    forwards = {path: fault_of(shares, 1, path) for path in PATHS}
    backwards = {path: fault_of(shares, 1, path) for path in reversed(PATHS)}
    assert forwards == backwards


def test_another_seed_hits_other_pages() -> None:
    shares = fault_shares(MIXED)
    assert any(fault_of(shares, 1, path) != fault_of(shares, 2, path) for path in PATHS)


def test_a_rate_of_one_hits_every_page() -> None:
    shares = fault_shares(SiteOptions(cut=1))
    assert {fault_of(shares, 1, path) for path in PATHS} == {"cut"}


def test_without_rates_every_page_is_good() -> None:
    assert fault_shares(SiteOptions()) == ()
    assert fault_of((), 1, "/news/1") is None


def test_latency_stays_within_its_jitter_and_is_the_paths_own() -> None:
    options = SiteOptions(latency_s=0.05, jitter_s=0.02)
    delays = {path: delay_of(options, path, None) for path in PATHS}
    assert min(delays.values()) == pytest.approx(0.03, abs=0.001)
    assert max(delays.values()) == pytest.approx(0.07, abs=0.001)
    assert delays == {path: delay_of(options, path, None) for path in reversed(PATHS)}


def test_jitter_larger_than_latency_never_gives_a_negative_wait() -> None:
    options = SiteOptions(latency_s=0.01, jitter_s=1)
    assert min(delay_of(options, path, None) for path in PATHS) == 0.0


def test_a_slow_page_takes_its_own_time_instead_of_the_latency() -> None:
    options = SiteOptions(latency_s=0.05, jitter_s=0.05, slow_s=2.5)
    assert delay_of(options, "/news/1", "slow") == 2.5


def test_a_passing_fault_shows_at_every_other_try_of_its_page() -> None:
    turns = Turns()
    assert [turns.take_turn("/a") for _ in range(4)] == [True, False, True, False]


def test_pages_take_turns_independently() -> None:
    turns = Turns()
    assert [turns.take_turn(path) for path in ("/a", "/b", "/b", "/a")] == [True, True, False, False]
