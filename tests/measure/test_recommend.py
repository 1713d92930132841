"""Which model is recommended, which reasons are given, and which doubts."""

from collections.abc import Mapping
from typing import Any

import pytest

from scraper.measure.compare.doubts import doubts
from scraper.measure.compare.explain import explain
from scraper.measure.compare.measured import Measured
from scraper.measure.compare.measured import measured as measured_of
from scraper.measure.compare.recommend import PREFERENCE, recommend
from scraper.measure.compare.rounds import MODELS
from scraper.measure.compare.scene import Scene
from scraper.measure.spread import Spread, spread_of
from tests.measure.trials import measured, same, trial

SCENE = Scene(python="3.11.7", has_gil=True, cores=2, hosts=40, function="")


def models(*them: Measured) -> dict[str, Measured]:
    return {each.model: each for each in them}


@pytest.mark.parametrize(
    ("speeds", "chosen", "close"),
    [
        ({"hybrid": 100}, "hybrid", ["hybrid"]),
        ({"hybrid": 100, "asyncio": 60}, "hybrid", ["hybrid"]),
        ({"hybrid": 60, "asyncio": 100}, "asyncio", ["asyncio"]),
        ({"asyncio": 100, "hybrid": 95.1}, "hybrid", ["hybrid", "asyncio"]),
        ({"asyncio": 100, "hybrid": 94.9}, "asyncio", ["asyncio"]),
        ({"threads": 100, "asyncio": 97}, "asyncio", ["asyncio", "threads"]),
        ({"processes": 100, "sharded": 98}, "sharded", ["sharded", "processes"]),
    ],
    ids=lambda value: str(value),
)
def test_fastest_is_chosen_and_of_those_near_it_the_preferred(
    speeds: Mapping[str, float], chosen: str, close: list[str]
) -> None:
    choice = recommend(models(*(measured(name, speed) for name, speed in speeds.items())))
    assert (choice.model, list(choice.close)) == (chosen, close)
    assert choice.fastest == max(speeds, key=lambda name: speeds[name])


def test_models_that_overlap_with_the_fastest_are_not_told_apart_from_it() -> None:
    found = models(measured("hybrid", 100, off=12), measured("asyncio", 90, off=5), measured("threads", 70, off=10))
    assert recommend(found).noisy == ("asyncio",)


def test_every_model_has_its_place_in_the_preference() -> None:
    assert set(PREFERENCE) == set(MODELS)


def test_reason_names_whom_it_was_preferred_to() -> None:
    reason = recommend(models(measured("asyncio", 100), measured("hybrid", 98))).reason
    assert reason.startswith("within 5 % of the fastest; before asyncio because a page that crashes")


# -- reasons ----------------------------------------------------------------------------------------------------------


def told(found: Mapping[str, Measured], scene: Scene = SCENE) -> dict[str, str]:
    return dict(explain(found, recommend(found), scene))


@pytest.mark.parametrize(
    ("head_s", "cpu_ms", "verdict"),
    [
        (0.02, 4.0, "the CPU is the limit"),
        (1.0, 1.0, "waiting is the limit"),
        (0.064, 1.0, "both are near"),
    ],
    ids=["cpu", "waiting", "both"],
)
def test_waiting_is_weighed_against_cpu(head_s: float, cpu_ms: float, verdict: str) -> None:
    hybrid = measured("hybrid", 500, head_s=head_s, loop_ms=cpu_ms / 4)
    asyncio = measured("asyncio", 400, head_s=head_s * 2, loop_ms=cpu_ms)
    assert verdict in told(models(hybrid, asyncio))["waiting or CPU"]


def test_politeness_that_limits_most_models_goes_before_waiting_and_cpu() -> None:
    found = models(*(measured(name, 50, limit="politeness") for name in ("hybrid", "asyncio")))
    assert "waiting or CPU" not in told(found)
    assert "no model asks a host faster" in told(found)["politeness"]


@pytest.mark.parametrize(
    ("fetch_ms", "parse_ms", "says"),
    [(0.2, 2.0, "shares the parsing out to 2"), (1.0, 0.2, "sharded has a loop in each"), (1, 1, "beside the other")],
    ids=["parse", "fetch", "both"],
)
def test_larger_part_of_the_cpu_says_who_can_share_it_out(fetch_ms: float, parse_ms: float, says: str) -> None:
    found = models(measured("hybrid", 500, loop_ms=fetch_ms), measured("asyncio", 300, loop_ms=fetch_ms + parse_ms))
    assert says in told(found)["fetch and parse"]


def test_one_host_cannot_be_dealt_out_to_shards() -> None:
    found = models(measured("hybrid", 500), measured("sharded", 300))
    assert "one host" in told(found, Scene("3.11.7", True, 2, 1, ""))["sharded"]
    assert "40 hosts dealt out to 2 shards" in told(found)["sharded"]


def test_lock_of_threads_is_told_by_the_interpreter() -> None:
    found = models(measured("asyncio-threads", 500))
    assert "one lock (GIL)" in told(found)["threads"]
    assert "no GIL" in told(found, Scene("3.13.1", False, 2, 1, ""))["threads"]


def test_what_crosses_a_process_border_is_told_by_model() -> None:
    text = told(models(measured("hybrid", 500), measured("sharded", 400), measured("threads", 300)))["data copied"]
    assert "30 kB a page, 15 MB in a trial" in text
    assert "sharded sends rows only" in text
    assert "threads shares memory and copies nothing" in text


def test_function_of_the_users_is_told_of_only_where_there_is_one() -> None:
    found = models(measured("hybrid", 500), measured("threads", 400))
    assert "your function" not in told(found)
    text = told(found, Scene("3.11.7", True, 2, 40, "rules:extract"))["your function"]
    assert "rules:extract is imported by its name" in text
    assert "never pickled: a lambda" in text
    assert "in threads there is one" in text


def test_slow_start_and_much_memory_are_told() -> None:
    processes = measured("processes", 400, first_row_s=same(5.0), peak_bytes=same(500_000_000), processes=8)
    found = told(models(measured("hybrid", 500), processes))
    assert "with processes 5 s (8 interpreters" in found["start"]
    assert "500 MB with processes; hybrid takes 80 MB" in found["memory"]


def test_choice_without_walls_says_what_is_given_up() -> None:
    found = told(models(measured("asyncio", 500), measured("hybrid", 400)))
    assert "hybrid keeps pages apart, at 80 % of the speed" in found["bad pages"]
    assert "bad pages" not in told(models(measured("hybrid", 500), measured("asyncio", 400)))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_explained_alone_and_with_nothing_known(name: str) -> None:
    bare: dict[str, Any] = dict.fromkeys(("first_row_s", "peak_bytes", "p50_s", "p95_s", "p99_s", "head_s", "limit"))
    for each in (measured(name, 100), measured(name, 0.0, loop_ms=0.0, parse_ms=0.0, ok=0, page_bytes=0.0, **bare)):
        assert all(text and not text.endswith(".") for text in told({name: each}).values())


# -- doubts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("them", "server", "others", "says"),
    [
        ([measured("hybrid", 100)], 0.1, 0.1, None),
        ([measured("hybrid", 100)], 0.3, 0.1, "server of the pages took up to 30 %"),
        ([measured("hybrid", 100)], 0.1, 0.4, "Other programs took up to 40 %"),
        ([measured("hybrid", 100, working_s=0.4)], 0, 0, "worked for 400 ms only"),
        ([measured("hybrid", 100, off=30)], 0, 0, "speed of hybrid varied"),
        ([measured("hybrid", 100, off=30, rounds=1)], 0, 0, None),
        ([measured("hybrid", 100, ok=490)], 0, 0, "10 of the URLs fail"),
        ([measured("hybrid", 100, off=10), measured("asyncio", 93)], 0, 0, "Not told apart from the fastest"),
    ],
    ids=["none", "server", "others", "short", "unsteady", "one round", "failures", "noise"],
)
def test_doubts_are_told_where_there_are_any(
    them: list[Measured], server: float, others: float, says: str | None
) -> None:
    found = models(*them)
    said = list(doubts(found, recommend(found), server, others))
    assert [says] == [says for line in said if says and says in line] if says else not said


# -- figures ----------------------------------------------------------------------------------------------------------


def test_figures_of_trials_are_medians_with_their_spread() -> None:
    found = measured_of([trial(1001), trial(2001), trial(1201)])
    assert found.pages_per_s == Spread(120.0, 100.0, 200.0)
    assert found.pages_per_s.share == pytest.approx(80 / 120)
    assert found.limit == "parse"
    assert found.page_bytes > 0
    assert found.rounds == 3


def test_busy_time_is_the_share_over_its_time() -> None:
    columns = {
        name: [0, 0] for name in ("done", "failed", "bytes", "in_flight", "queued", "parsing", "write", "disk", "slots")
    }
    course = {"at": [1.0, 3.0], "loop": [0.5, 0.25], "parse": [0.0, 1.0], "limit": [None, None], **columns}
    found = measured_of([trial(1000, series=course, processes=2)])
    assert (found.loop_ms, found.parse_ms) == (1.0, 4.0)


def test_spread_of_nothing_is_none() -> None:
    assert spread_of([None, None]) is None
