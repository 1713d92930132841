"""Which stage limits a run: each bottleneck, built from figures, is the one named."""

from dataclasses import replace

import pytest

from scraper.stats import Capacity, Load, Sample, limiting, load_between

IDLE = Sample(
    at=0.0, input=0, done=0, open=10, ok=0, failures={}, pages_bytes=0, in_flight=0, queued=0, backoffs=0, parsing=0,
    bodies_waiting=False, is_exhausted=False, parse_busy_s=0.0, write_busy_s=0.0, loop_busy_s=0.0,
)  # fmt: skip
CAPACITY = Capacity(concurrency=64, processes=2)
AFTER_1S = replace(IDLE, at=1.0)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (replace(AFTER_1S, write_busy_s=0.95), "writing"),
        (replace(AFTER_1S, bodies_waiting=True), "run.memory"),
        (replace(AFTER_1S, parse_busy_s=1.9), "parsing"),
        (replace(AFTER_1S, loop_busy_s=0.97), "fetch CPU"),
        (replace(AFTER_1S, in_flight=64, queued=900), "fetch.concurrency"),
        (replace(AFTER_1S, in_flight=8, queued=900), "politeness"),
        (replace(AFTER_1S, in_flight=8, is_exhausted=True), "the last URLs"),
        (replace(AFTER_1S, in_flight=8), "reading the list"),
    ],
)
def test_bottleneck_is_named(sample, words):
    assert words in limiting(load_between(IDLE, sample, CAPACITY), sample)


def test_full_stage_behind_hides_the_stages_before_it():
    sample = replace(AFTER_1S, in_flight=64, parse_busy_s=2.0)
    assert "parsing" in limiting(load_between(IDLE, sample, CAPACITY), sample)


def test_load_of_no_time_is_nothing():
    assert load_between(IDLE, IDLE, CAPACITY) == Load(0.0, 0.0, 0.0, 0.0, 0.0)


def test_rate_is_of_the_interval():
    later = replace(IDLE, at=12.0, done=500)
    assert load_between(replace(IDLE, at=10.0, done=100), later, CAPACITY).pages_per_s == 200
