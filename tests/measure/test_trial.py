"""One run as a process of its own, and what is measured of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scraper.config import Config
from scraper.errors import ScraperError
from scraper.measure.report.told import read_sessions
from scraper.measure.tree import CommandError, Usage, measure, tree_of
from scraper.measure.trial import run_trial, settings_of_own
from tests.conftest import Site
from tests.measure.trials import trial
from tests.outside import is_alive

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="a process tree is measured by Linux's /proc")


@pytest.fixture
def urls(site: Site, tmp_path: Path) -> str:
    path = tmp_path / "urls.txt"
    path.write_text("".join(f"{url}\n" for url in site.urls))
    return str(path)


def test_run_is_measured_from_outside_and_by_its_telemetry(urls: str, tmp_path: Path) -> None:
    done = run_trial({"run.model": "asyncio", "fetch.concurrency": 16}, None, [urls], tmp_path / "out", 200)
    assert (done.model, done.pages, done.ok, dict(done.failures)) == ("asyncio", 200, 200, {})
    assert 0 < done.working_s < done.run_s < done.usage.wall_s
    assert done.pages_per_s > done.pages / done.run_s, "the start counts as work"
    assert done.cpu_ms > 0.1
    assert done.latency_s(0.5) <= done.latency_s(0.99)
    assert done.session.concurrency == 16


@linux
def test_cpu_and_memory_of_all_processes_count_and_the_start_does_not(urls: str, tmp_path: Path) -> None:
    settings = {"run.model": "hybrid", "parse.processes": 2}
    done = run_trial(settings, None, [urls], tmp_path / "out", None)
    assert done.usage.peak_bytes > 60_000_000, "the workers' memory is missing"
    assert done.usage.cpu_s > done.usage.main_cpu_s > 0
    assert 0 < done.cpu_ms < done.usage.cpu_s / done.pages * 1000 * 0.8, "the interpreters' start is in it"


def test_second_trial_in_a_folder_tells_of_itself(urls: str, tmp_path: Path) -> None:
    for concurrency in (4, 8):
        done = run_trial({"fetch.concurrency": concurrency, "run.model": "asyncio"}, None, [urls], tmp_path / "o", 20)
        assert (done.session.concurrency, done.pages) == (concurrency, 20)
    assert len(read_sessions(tmp_path / "o") or []) <= 2


def test_run_that_ends_badly_tells_its_last_line(urls: str, tmp_path: Path) -> None:
    with pytest.raises(ScraperError, match=r"ended with 2: .*fetch\.concurrency"):
        run_trial({"fetch.concurrency": 0}, None, [urls], tmp_path / "out", None)


def test_speed_counts_from_the_first_row() -> None:
    assert trial(ok=1001).pages_per_s == pytest.approx(100.0)
    assert trial(ok=1001).working_s == 10.0


@pytest.mark.parametrize(
    ("ok", "changed"),
    [(1, {}), (0, {"first_row_s": None}), (50, {"seconds": 0.5})],
    ids=["one page", "no row", "all at once"],
)
def test_speed_of_too_little_is_that_of_the_whole_run(ok: int, changed: dict[str, Any]) -> None:
    assert trial(ok, **changed).pages_per_s == pytest.approx(ok / 10.6)


def test_cpu_before_the_first_row_is_left_out() -> None:
    began = 1795388723.0  # 2026-11-22T23:05:23Z
    course = ((began - 1.0, 0.5), (began, 2.0), (began + 1.0, 4.0))
    done = trial(1000, Usage(12.0, 15.0, 8.0, 0, course))
    assert done.cpu_ms == pytest.approx(12.0), "15 s less the 3 s that were used half a second after the start"
    assert done.cores == pytest.approx(1.2)


def test_cores_of_a_short_run_count_over_all_of_it() -> None:
    began = 1795388723.0
    course = ((began, 0.1), (began + 0.7, 1.4))
    done = trial(3, Usage(1.0, 1.5, 0.8, 0, course), seconds=0.55)
    assert done.cores == pytest.approx(1.5), "the end of the processes costs CPU too, and takes its time"


def test_cores_count_to_the_end_of_the_processes() -> None:
    began = 1795388723.0
    course = ((began, 0.0), (began + 0.5, 1.0), (began + 2.5, 3.0))
    done = trial(100, Usage(2.6, 3.0, 1.0, 0, course), seconds=1.0)
    assert done.cores == pytest.approx(1.0), "2 s of CPU in the 2 s from the first row on"


def test_cpu_without_a_course_is_all_of_it() -> None:
    assert trial(1000).cpu_ms == pytest.approx(15.0)
    assert trial(1000).cores == pytest.approx(15 / 12)


@pytest.mark.parametrize(
    ("write", "own"),
    [
        ({}, {}),
        ({"format": "csv"}, {}),
        ({"format": "csv", "path": "/home/me/rows.csv"}, {"write.path": ""}),
        (
            {"format": ["postgres", "csv"], "path": ["postgresql://host/db", ""]},
            {"write.path": "", "write.format": ["jsonl", "csv"]},
        ),
        ({"format": "warc"}, {"write.format": ["warc", "jsonl"]}),
        ({"dedupe": "content"}, {"write.dedupe": "url"}),
    ],
    ids=["default", "file", "path", "server", "archive", "dedupe"],
)
def test_trial_writes_into_its_own_folder_and_has_rows(write: dict[str, Any], own: dict[str, Any]) -> None:
    assert settings_of_own(Config.model_validate({"write": write})) == own


# -- process trees ----------------------------------------------------------------------------------------------------

SLEEPING_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], process_group=0)
print(child.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


@linux
def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        measure([sys.executable, "-c", SLEEPING_CHILD, "60"], cwd=tmp_path, log=tmp_path / "log", timeout_s=1.5)
    assert caught.value.code == -signal.SIGKILL
    assert not is_alive(int((tmp_path / "log").read_text()))


@linux
def test_interrupt_ends_the_run_and_all_that_it_started(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from scraper.measure.tree import measure
measure([sys.executable, "-c", {SLEEPING_CHILD!r}, "60"], cwd=Path("."), log=Path("log"))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
        log = tmp_path / "log"
        wait_until(lambda: log.exists() and log.read_text().endswith("\n"))
        tree = list(tree_of(process.pid))
        process.send_signal(signal.SIGINT)
        process.wait(10)
    assert len(tree) == 3
    assert not [pid for pid in tree if is_alive(pid)]


def test_cpu_between_two_samples_lies_on_a_line() -> None:
    usage = Usage(3.0, 9.0, 9.0, 0, ((10.0, 1.0), (12.0, 5.0)))
    assert [usage.cpu_before_s(at) for at in (9.0, 10.0, 11.0, 12.0, 99.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


def wait_until(is_so: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)
