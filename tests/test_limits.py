"""Which stage limits a run, and what is advised: each bottleneck, built from figures, is the one named."""

from dataclasses import replace

import pytest

from scraper.advice import MIB, WORDS, Advice, advise
from scraper.limits import Judge, Limit, bottleneck
from scraper.stats import NO_LOAD, Capacity, Load, Sample, Waits

CAPACITY = Capacity(concurrency=64, processes=2, memory=64 * MIB, cores=4, commit_every_s=1.0)
NOW = Sample(
    at=1.0, input=100, done=50, open=50, ok=50, failures={}, pages_bytes=0, in_flight=8, queued=0, backoffs=0,
    parsing=0, bodies_waiting=False, is_exhausted=False, parse_busy_s=0.0, write_busy_s=0.0, loop_busy_s=0.0,
)  # fmt: skip
READY = Waits(ready=900, hosts=5)
PER_HOST = Waits(hosts=3, host="a.example", why="per_host", jobs=40, allowed=8)
FULL = replace(NO_LOAD, slots=1.0)
ENDED = replace(NOW, is_exhausted=True, open=0)
HELD = Waits(hosts=1, host="a.example", why="held", jobs=2, allowed=1)

BOTTLENECKS = {
    "writer computes all the time": (replace(NO_LOAD, write=0.95, disk=0.1), NOW, "writer"),
    "disk is busy, and rows share its fsyncs": (replace(FULL, write=0.95, disk=0.9), NOW, "latency"),
    "disk is busy, and rows pile up": (replace(FULL, write=0.95, disk=0.9), replace(NOW, unwritten=500), "disk"),
    "readers hold the memory": (replace(FULL, short=1.0), NOW, "memory"),
    "pages hold the memory": (replace(FULL, short=1.0, page_bytes=60 * MIB, parse=0.8), NOW, "parse"),
    "idle workers hold no memory": (replace(FULL, short=1.0, page_bytes=60 * MIB, parse=0.2), NOW, "memory"),
    "rows hold the memory": (replace(FULL, short=1.0, row_bytes=60 * MIB, write=0.7, disk=0.6), NOW, "disk"),
    "rows hold it, and compute": (replace(FULL, short=1.0, row_bytes=60 * MIB, write=0.7), NOW, "writer"),
    "memory was short for a moment": (replace(FULL, short=0.2), NOW, "latency"),
    "workers are full": (replace(FULL, parse=0.95), NOW, "parse"),
    "loop is full": (replace(FULL, loop=0.95), NOW, "fetch"),
    "loop is kept from its core": (replace(FULL, loop=0.5, loop_wait=0.4), NOW, "fetch"),
    "all cores are ours, most for parsing": (replace(FULL, loop=0.7, parse=0.8, idle_cores=0.1), NOW, "parse"),
    "all cores are ours, most for fetching": (replace(FULL, loop=0.8, parse=0.7 / 2, write=0.9, idle_cores=0), NOW,
                                              "writer"),
    "all cores are others'": (replace(FULL, loop=0.1, parse=0.1, idle_cores=0.0), NOW, "latency"),
    "all slots are taken": (FULL, replace(NOW, queued=900, waits=READY), "latency"),
    "all slots, by one host that may have them": (FULL, replace(NOW, queued=90, waits=replace(PER_HOST, allowed=64)),
                                                  "latency"),
    "all slots, and nobody else could be sent": (FULL, replace(NOW, queued=40, waits=PER_HOST), "politeness"),
    "hosts wait": (NO_LOAD, replace(NOW, queued=40, waits=PER_HOST), "politeness"),
    "robots.txt has not come yet": (NO_LOAD, replace(NOW, waits=Waits(host="a", why="robots", jobs=9)), "politeness"),
    "list is read slowly": (NO_LOAD, NOW, "source"),
    "last URLs": (NO_LOAD, replace(NOW, is_exhausted=True), "ending"),
    "last URLs fill the slots": (FULL, replace(NOW, is_exhausted=True, waits=Waits()), "ending"),
    "last pages wait for a worker": (replace(NO_LOAD, parse=0.5), replace(NOW, is_exhausted=True, in_flight=0,
                                                                          parsing=9), "parse"),
    "it starts": (replace(NO_LOAD, loop=1.0, parse=1.0), replace(NOW, done=0), None),
    "it starts, and its first pages fill the memory": (replace(FULL, short=1.0, page_bytes=60 * MIB),
                                                       replace(NOW, done=0, waits=READY), None),
    "it starts, and its readers fill the memory": (replace(FULL, short=1.0), replace(NOW, done=0, waits=READY),
                                                   "memory"),
    "it starts, and the server is slow": (FULL, replace(NOW, done=0, waits=READY), "latency"),
    "it starts, and its host asks to be left alone": (NO_LOAD, replace(NOW, done=0, in_flight=0, queued=2, waits=HELD),
                                                      "politeness"),
    "it starts, and its first page is parsed": (NO_LOAD, replace(NOW, done=0, in_flight=0, parsing=1, waits=HELD),
                                                None),
}  # fmt: skip


@pytest.mark.parametrize("case", BOTTLENECKS)
def test_bottleneck_is_named(case):
    load, now, name = BOTTLENECKS[case]
    assert bottleneck(load, now, CAPACITY) == name


@pytest.mark.parametrize(("disk", "name"), [(0.1, "writer"), (0.3, "disk")])
def test_when_all_pages_are_done_it_is_the_writer_or_its_disk(disk, name):
    load = replace(NO_LOAD, write=0.4, disk=disk)
    assert bottleneck(load, ENDED, CAPACITY, only_writes=True) == name


MODELS = {
    "asyncio parses on its loop": ("asyncio", replace(NO_LOAD, loop=0.95, parse=0.7), "parse"),
    "asyncio fetches on its loop": ("asyncio", replace(NO_LOAD, loop=0.95, parse=0.2), "fetch"),
    "asyncio has no workers to be full": ("asyncio", replace(FULL, loop=0.5, parse=0.9), "latency"),
    "threads share one core": ("asyncio-threads", replace(NO_LOAD, loop=0.3, parse=0.6, process=0.97), "parse"),
    "threads fetch": ("threads", replace(NO_LOAD, loop=0.3, parse=0.1, process=0.97), "fetch"),
    "processes parse for most of their time": ("processes", replace(FULL, parse=0.6), "parse"),
    "processes wait for most of their time": ("processes", replace(FULL, parse=0.3), "latency"),
    "shards parse on their loops": ("sharded", replace(NO_LOAD, loop=0.95, parse=0.7), "parse"),
}


@pytest.mark.parametrize("case", MODELS)
def test_bottleneck_depends_on_where_the_model_works(case):
    model, load, name = MODELS[case]
    workers = {"asyncio": 1}.get(model, 2)
    lock = "threads" in model
    assert bottleneck(load, NOW, Capacity(64, workers, 64 * MIB, model, 4, 1.0, shares_a_lock=lock)) == name


@pytest.mark.parametrize(
    ("name", "load", "waits", "settings", "text", "gain"),
    [
        ("latency", Load(20, 1.0, 0.1, 0, 0.46, latency_s=0.1), READY, {}, "fetch.concurrency from 64 to 256", 2.2),
        ("latency", Load(20, 1.0, 0.1, 0, 0.1, latency_s=0.1034), READY, {"concurrency": 2},
         "103ms a request: raise fetch.concurrency from 2 to 8", 4.0),
        ("latency", Load(20, 1.0, 0.1, 0, 0.1), Waits(ready=32), {}, "raise fetch.concurrency from 64 to 128", 1.5),
        ("latency", Load(20, 1.0, 0.1, 0, 0.95), READY, {}, "no setting gains much", None),
        ("latency", Load(20, 1.0, 0.1, 0, 0.1), None, {"model": "processes", "processes": 2, "concurrency": 2},
         "raise parse.processes from 2 to 8", 4.0),
        ("parse", Load(20, 1.0, 0.97, 0, 0.2, idle_cores=1.0), None, {"processes": 1},
         "raise parse.processes from 1 to 2", 1.9),
        ("parse", Load(20, 1.0, 0.97, 0, 0.2, idle_cores=0.1), None, {}, "all 4 cores are full", None),
        ("parse", Load(20, 1.0, 0.7, 0, 0.97, idle_cores=3.0), None, {"model": "asyncio", "processes": 1},
         'change run.model from "asyncio" to "hybrid"', 3.7),
        ("parse", Load(20, 1.0, 0.7, 0, 0.97, idle_cores=0.0), None, {"model": "asyncio"}, "4 cores are full", None),
        ("fetch", Load(20, 1.0, 0.5, 0, 1.0, idle_cores=2.0), READY, {}, 'run.model from "hybrid" to "sharded"', 2.0),
        ("fetch", Load(20, 1.0, 0.5, 0, 1.0, idle_cores=2.0), replace(READY, hosts=1), {}, "one host cannot be", None),
        ("fetch", Load(20, 1.0, 0.5, 0, 1.0, idle_cores=0.0), READY, {}, "all 4 cores are full", None),
        ("fetch", Load(20, 1.0, 0.5, 0, 1.0, idle_cores=2.0), READY, {"model": "sharded"},
         "raise parse.processes from 2 to 4", 2.0),
        ("memory", Load(20, 1.0, 0.2, 0, 0.1, short=1.0, body_bytes=500_000), None, {"memory": MIB, "concurrency": 8},
         "raise run.memory from 1MiB to 8MiB", 5.0),
        ("disk", Load(20, 0.5, 0.2, 1.0, 0.1, disk=0.9, short=1.0), None, {"memory": MIB},
         "raise run.memory from 1MiB to 4MiB", 3.1),
        ("disk", Load(20, 0.5, 0.2, 1.0, 0.1, disk=0.9), None, {"commit_every_s": 0.01},
         "raise write.commit_every from 10ms to 40ms", 3.1),
        ("disk", Load(20, 0.5, 0.2, 1.0, 0.1, disk=0.9), None, {}, "only a faster one helps", None),
        ("writer", Load(20, 0.5, 0.2, 1.0, 0.1), None, {}, "a plainer write.format", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), PER_HOST, {},
         "a.example: raise politeness.per_host from 8 to 16", 2.0),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="a.example", why="delay", jobs=3, gap_s=0.2), {},
         "a.example: 5 requests/s: lower politeness.delay from 200ms to 100ms", 2.0),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="a.example", why="crawl_delay", jobs=3, gap_s=2), {},
         "a.example: robots.txt asks for 2s between two requests: nothing to set", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="a.example", why="slowed", jobs=3), {}, "429", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="a.example", why="held", jobs=3), {}, "left alone", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="a", why="backoff", jobs=3), {}, "backoff", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(host="http://a", why="robots", jobs=3), {}, "not come", None),
        ("politeness", Load(20, 0.1, 0.2, 0, 0.1), Waits(why="lookup", jobs=3), {}, "looked up", None),
        ("source", NO_LOAD, None, {}, "no setting makes it faster", None),
        ("ending", NO_LOAD, None, {}, "nothing waits", None),
    ],
)  # fmt: skip
def test_advice_names_the_setting_and_what_it_gains(name, load, waits, settings, text, gain):
    advice = advise(name, load, waits, replace(CAPACITY, **settings))
    assert text in advice.text
    assert (advice.gain is None) == (gain is None)
    assert advice.gain is None or advice.gain == pytest.approx(gain, abs=0.06)


def test_gain_is_bound_by_the_cores_that_are_idle():
    load = Load(20, 1.0, 0.5, 0.0, 0.5, idle_cores=1.0)  # 1.5 cores of 4 are used, and others use 1.5
    assert advise("latency", load, READY, CAPACITY).gain == pytest.approx(2.5 / 1.5)


# -- a session --------------------------------------------------------------------------------------------------------


def judged(*samples: Sample) -> Judge:
    judge = Judge(CAPACITY)
    for sample in samples:
        judge.add(sample)
    return judge


def at(second: float, **changes: object) -> Sample:
    return replace(NOW, at=second, **changes)


def test_shares_are_of_the_time_that_was_judged_the_longest_first():
    waiting = {"queued": 40, "waits": PER_HOST}
    judge = judged(at(0.0, done=0), at(1.0, done=0), *(at(float(second), **waiting) for second in (2, 3, 4)), at(5.0))
    assert [(limit.name, limit.share) for limit in judge.limits()] == [("politeness", 0.75), ("source", 0.25)]
    assert judge.judged_s == 4.0


def test_start_leaves_no_trace_in_what_follows():
    busy = {"done": 0, "in_flight": 64}
    judge = judged(at(0.0, **busy), at(0.25, loop_busy_s=0.25, done=0), at(0.5, loop_busy_s=0.25))
    assert judge.load.loop == 0.0


def test_time_in_which_the_last_pages_were_done_is_not_the_writers():
    busy = at(2.0, loop_busy_s=2.0, is_exhausted=True, open=0, unwritten=50)
    judge = judged(at(0.0, done=0), busy, replace(busy, at=2.5, write_busy_s=0.5, disk_busy_s=0.4))
    assert [(limit.name, limit.share) for limit in judge.limits()] == [("fetch", 0.8), ("disk", 0.2)]


def test_host_that_was_longest_waited_for_is_named():
    long, short = replace(PER_HOST, host="long.example", jobs=3), replace(PER_HOST, host="short.example", jobs=90)
    samples = [at(second, queued=9, waits=long if second < 6 else short) for second in range(8)]
    assert "long.example" in judged(*samples).limits()[0].advice.text


def test_hosts_that_are_remembered_are_bounded():
    judge = Judge(CAPACITY)
    for second in range(3_000):
        judge.add(at(float(second), queued=9, waits=replace(PER_HOST, host=f"{second % 2_000}.example")))
    assert len(judge._tallies["politeness"].waits) <= 1_000


def test_verdict_is_of_the_last_second_and_none_while_a_run_starts():
    judge = judged(at(0.0, done=0), at(1.0, done=0))
    assert judge.verdict is None
    judge.add(at(2.0))
    assert (
        str(judge.verdict)
        == "reading the list: it comes more slowly than its pages are done: no setting makes it faster"
    )


def test_session_without_an_interval_has_no_limits():
    assert judged(at(0.0)).limits() == []


def test_limit_in_one_line_and_as_json():
    limit = Limit("parse", 0.8312, Advice("raise parse.processes from 1 to 2", 1.94))
    assert str(limit) == "parsing, 83 % of the time: raise parse.processes from 1 to 2 (up to 1.9x)"
    assert limit.as_json() == {
        "name": "parse", "share": 0.831, "advice": "raise parse.processes from 1 to 2", "gain": 1.94,
    }  # fmt: skip


def test_every_name_has_words_and_an_advice():
    for name in WORDS:
        assert str(advise(name, NO_LOAD, None, CAPACITY))
