"""All hostile behaviours in one run on each wire: one outcome a URL, in bounded time and memory, and nothing left."""

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import MODEL
from tests.hostile.behaviours import BEHAVIOURS, LINES
from tests.hostile.running import Run, run_over

WITHIN_S = {"processes": 100.0, "sharded": 100.0}.get(MODEL, 60.0)
MEMORY_BYTES = {"threads": 900_000_000, "asyncio-threads": 900_000_000}.get(MODEL, 600_000_000)
"""Threads give little of what a large page took back to the system."""
SETTINGS = (
    "fetch.timeout=5s", "fetch.connect_timeout=2s", "fetch.retries=1", "fetch.backoff=50ms", "fetch.concurrency=128",
    "fetch.max_body=21MiB", "fetch.max_redirects=5", "fetch.cookies=true", "politeness.max_wait=1s", "run.memory=96MiB",
    "parse.processes=2", "parse.timeout=4s", "parse.max_memory=768MiB",
)  # fmt: skip

if MODEL:
    SETTINGS = (*SETTINGS, f"run.model={MODEL}", f"fetch.cookies={str(MODEL != 'processes').lower()}")

pytestmark = [
    pytest.mark.timeout(150),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of processes is read from /proc"),
]


@pytest.fixture(scope="module", params=["pyreqwest", "httpx"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def run(wire: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp(wire)
    return asyncio.run(run_over(BEHAVIOURS, folder, (*SETTINGS, f"fetch.transport={wire}"), LINES))


def test_there_are_at_least_eighty_behaviours() -> None:
    assert len(BEHAVIOURS) >= 80


def test_each_url_ends_as_it_must(run: Run, wire: str) -> None:
    expected = {name: behaviour.expected_on(wire) for name, behaviour in BEHAVIOURS.items()}
    expected |= LINES
    outcomes = run.outcomes
    wrong = [
        f"{name}: {outcomes.get(name)}, not {kind}" for name, kind in expected.items() if outcomes.get(name) != kind
    ]
    assert wrong == []


def test_each_url_has_exactly_one_outcome(run: Run) -> None:
    counts = Counter(row["url"] for row in run.rows)
    counts.update(run.lines[failure["line"] - 1] for failure in run.failures)
    assert counts == Counter(run.lines)
    assert run.summary["input"] == len(run.lines) == run.summary["ok"] + run.summary["failed"]


def test_rows_hold_the_page_that_was_asked_for(run: Run) -> None:
    titles = {row["url"]: row["title"] for row in run.rows}
    urls = dict(zip(run.names, run.lines, strict=True))
    wanted = {name: behaviour.title for name, behaviour in BEHAVIOURS.items() if behaviour.title is not None}
    assert {name: titles.get(urls[name]) for name in wanted} == wanted


def test_each_failure_says_why_and_shows_no_password_and_no_control_bytes(run: Run) -> None:
    for failure in run.failures:
        assert failure["message"]
        assert "secret" not in json.dumps(failure)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", failure["message"]), failure


def test_ends_within_its_time(run: Run) -> None:
    assert run.code == 0, run.stderr[-2000:]
    assert run.took_s < WITHIN_S


def test_all_processes_together_stay_within_memory(run: Run) -> None:
    assert 0 < run.tree.peak_bytes < MEMORY_BYTES


def test_leaves_no_process_behind(run: Run) -> None:
    is_alone = MODEL in ("asyncio", "asyncio-threads", "threads")
    assert len(run.tree.seen) >= (1 if is_alone else 3), "the command and its workers"
    assert run.left == []


def test_says_nothing_of_its_inner_life(run: Run) -> None:
    assert not re.search(r"Traceback|Error\b|Exception|never retrieved|panicked|Fatal", run.stderr), run.stderr[-2000:]
    assert "\x1b" not in run.stderr
