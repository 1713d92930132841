"""What watches a run: its figures of the machine, the stalls that it sees, and what it leaves in the folder."""

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from scraper import machine, monitor
from scraper.histogram import Histogram
from scraper.limits import Judge
from scraper.monitor import Monitor
from scraper.stats import Capacity, Sample, Waits
from scraper.telemetry import Recorder
from tests.test_limits import PER_HOST
from tests.test_stats import IDLE

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


class Run:
    """A run that stands still."""

    def __init__(self) -> None:
        self.capacity = Capacity(64, 2)
        self.recorder = Recorder()
        self.judge = Judge(self.capacity)
        self.first_row_at: float | None = None
        self.loop = asyncio.get_running_loop()

    def sample(self) -> Sample:
        return replace(IDLE, at=self.loop.time(), done=1, queued=9)

    def waits(self) -> Waits:
        return PER_HOST


async def test_run_is_sampled_and_judged_while_it_is_watched(monkeypatch):
    monkeypatch.setattr(monitor, "BEAT_S", 0.002)
    monkeypatch.setattr(monitor, "LEAST_JUDGED_S", 0.02)
    run = Run()
    watcher = Monitor(run)
    watcher.start()
    await asyncio.sleep(0.1)
    run.first_row_at = run.loop.time()
    watcher.stop()
    record = watcher.record(Histogram())
    assert len(record["series"]["at"]) >= 2
    assert [limit.name for limit in watcher.limits] == ["politeness"]
    assert record["limits"][0]["share"] == 1.0
    assert 0.05 < record["first_row_s"] <= record["seconds"] < 5
    assert record["cpu_s"] >= 0


async def test_session_too_short_to_tell_names_no_limit():
    watcher = Monitor(Run())
    watcher.start()
    watcher.stop()
    assert watcher.limits == []


async def test_stopped_monitor_looks_no_more(monkeypatch):
    monkeypatch.setattr(monitor, "BEAT_S", 0.001)
    run = Run()
    watcher = Monitor(run)
    watcher.start()
    watcher.stop()
    before = len(watcher.record(Histogram())["series"]["at"])
    await asyncio.sleep(0.03)
    watcher.stop()
    assert len(watcher.record(Histogram())["series"]["at"]) == before


async def test_loop_that_is_kept_from_its_timers_is_a_stall():
    run = Run()
    watcher = Monitor(run)
    watcher.start()
    await asyncio.sleep(0)
    time.sleep(0.15)  # noqa: ASYNC251 - the very thing that is to be seen
    await asyncio.sleep(0.03)
    watcher.stop()
    stalls = watcher.record(Histogram())["stalls"]
    assert 0.1 < stalls["longest_s"] < 1.0
    assert stalls["over_50ms"] >= 1


# -- the machine ------------------------------------------------------------------------------------------------------


@LINUX
def test_memory_is_that_of_the_whole_tree():
    alone = machine.tree_rss()
    code = "x = b'1' * 60_000_000; print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        together = machine.tree_rss()
        child.communicate(b"\n")
    assert together - alone > 50_000_000


@LINUX
def test_idle_seconds_grow_with_time_and_no_faster_than_the_cores():
    before, started = machine.idle_s(), time.monotonic()
    time.sleep(0.1)
    idle, took = machine.idle_s() - before, time.monotonic() - started
    assert 0 <= idle <= (took + 0.02) * len(os.sched_getaffinity(0))


@LINUX
def test_wait_for_a_core_is_that_of_this_thread():
    before = machine.thread_wait_s()
    time.sleep(0.05)
    assert 0 <= machine.thread_wait_s() - before < 0.05


def test_cpu_of_children_counts_once_they_have_ended():
    before = machine.tree_cpu_s()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"], check=True)
    assert machine.tree_cpu_s() - before >= 0.2


def test_system_without_proc_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_PROC", tmp_path)
    assert machine.idle_s() is None
    assert machine.tree_rss() is None
    assert machine.thread_wait_s() == 0.0


# -- in the folder ----------------------------------------------------------------------------------------------------


def test_each_session_leaves_how_it_went(cli, site):
    urls = cli.write_list(site.urls[:20])
    cli("run", urls, "--limit", "8", "--quiet")
    cli("run", urls, "--quiet")
    cli("run", urls, "--quiet")
    told = json.loads((cli.folder / "output" / "telemetry.json").read_text())
    assert told["version"] == 1
    first, second = told["sessions"]  # the third had nothing to do
    assert [session["series"]["done"][-1] for session in told["sessions"]] == [8, 12]
    assert first["hosts"] == [{"host": "127.0.0.1", "ok": 8, "failed": 0} | {
        key: first["hosts"][0][key] for key in ("bytes", "seconds", "longest_s")
    }]  # fmt: skip
    for phase in ("head", "body", "parse", "write", "page"):
        assert sum(n for _, n in second["phases"][phase]) == 12, phase
    assert second["first_row_s"] > 0
    assert len(second["slowest"]) == len(second["largest"]) == 12
    if sys.platform == "linux":
        assert second["cpu_s"] > 0
        assert second["peak_rss"] > 20_000_000


def test_fresh_start_forgets_the_sessions_before(cli, site):
    urls = cli.write_list(site.urls[:2])
    cli("run", urls, "--quiet")
    cli("run", urls, "--quiet", "--fresh")
    assert len(json.loads((cli.folder / "output" / "telemetry.json").read_text())["sessions"]) == 1


def test_no_secret_of_a_url_stands_in_the_file(cli, site):
    urls = cli.write_list([url.replace("http://", "http://me:hidden@") for url in site.urls[:3]])
    cli("run", urls, "--quiet")
    text = (cli.folder / "output" / "telemetry.json").read_text()
    assert site.urls[0] in text
    assert "hidden" not in text
