"""How busy the stages were between two samples."""

from dataclasses import replace

import pytest

from scraper.stats import NO_LOAD, Capacity, Sample, Waits, Window, load_over, most_waited

IDLE = Sample(
    at=0.0, input=0, done=0, open=10, ok=0, failures={}, pages_bytes=0, in_flight=0, queued=0, backoffs=0, parsing=0,
    bodies_waiting=False, is_exhausted=False, parse_busy_s=0.0, write_busy_s=0.0, loop_busy_s=0.0,
)  # fmt: skip
CAPACITY = Capacity(concurrency=64, processes=2)
AFTER_2S = replace(IDLE, at=2.0)


def load_of(before: Sample, after: Sample, capacity: Capacity = CAPACITY):
    return load_over([before, after], capacity)


@pytest.mark.parametrize(
    ("sample", "figure", "expected"),
    [
        (replace(AFTER_2S, done=500), "pages_per_s", 250),
        (replace(AFTER_2S, parse_busy_s=2.0), "parse", 0.5),
        (replace(AFTER_2S, write_busy_s=0.5), "write", 0.25),
        (replace(AFTER_2S, disk_busy_s=0.4), "disk", 0.2),
        (replace(AFTER_2S, loop_busy_s=1.0), "loop", 0.5),
        (replace(AFTER_2S, loop_busy_s=2.1), "loop", 1.0),
        (replace(AFTER_2S, write_busy_s=-0.1), "write", 0.0),
        (replace(AFTER_2S, in_flight=16), "slots", 0.25),
        (replace(AFTER_2S, requests=10, request_s=2.5), "latency_s", 0.25),
        (AFTER_2S, "latency_s", None),
        (replace(AFTER_2S, ok=4, pages_bytes=4000), "body_bytes", 1000),
        (replace(AFTER_2S, process_s=3.0), "process", 1.5),
        (replace(AFTER_2S, waits=Waits(loop_s=0.5)), "loop_wait", 0.25),
        (AFTER_2S, "idle_cores", None),
    ],
)
def test_figures_are_of_the_interval(sample, figure, expected):
    assert getattr(load_of(IDLE, sample), figure) == expected


def test_idle_cores_are_those_of_the_interval():
    assert load_of(replace(IDLE, idle_s=100.0), replace(AFTER_2S, idle_s=103.0)).idle_cores == 1.5


def test_load_of_no_time_is_nothing():
    assert load_of(IDLE, IDLE) == NO_LOAD


def test_levels_are_the_mean_of_all_samples_but_the_first():
    samples = [
        replace(IDLE, at=float(at), in_flight=n, bodies_waiting=n > 50, row_bytes=n)
        for at, n in enumerate((0, 32, 64, 48))
    ]
    load = load_over(samples, CAPACITY)
    assert (load.slots, load.short, load.row_bytes) == (0.75, 1 / 3, 48)


def test_page_that_is_long_in_parse_shows_though_its_worker_tells_of_it_only_at_its_end():
    before = replace(IDLE, parsing=5, parse_busy_s=3.0)
    assert load_of(before, replace(before, at=1.0)).parse == 1.0
    assert load_of(replace(before, parsing=1), replace(before, at=1.0)).parse == 0.5


def test_workers_that_start_are_not_busy():
    before = replace(IDLE, parsing=5)
    assert load_of(before, replace(before, at=1.0)).parse == 0.0


def test_window_forgets_what_is_older_and_keeps_two_samples_at_least():
    window = Window(CAPACITY, seconds=3.0)
    for second in range(10):
        load = window.add(replace(IDLE, at=float(second), done=second * (100 if second > 5 else 1)))
    assert load.pages_per_s == 100
    assert window.add(replace(IDLE, at=100.0, done=900 + 91 * 7)).pages_per_s == 7


def test_waits_of_several_frontiers_are_one():
    one = Waits(ready=3, hosts=2, host="a.example", why="delay", jobs=7, gap_s=1.0, loop_s=0.5)
    other = Waits(ready=1, hosts=4, host="b.example", why="per_host", jobs=9, allowed=8)
    told = most_waited([one, other])
    assert told == Waits(ready=4, hosts=6, host="b.example", why="per_host", jobs=9, allowed=8, loop_s=0.25)
    assert most_waited([]) == Waits()
