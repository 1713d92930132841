"""What progress says, and when."""

import asyncio
import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest
from rich.console import Console

from scraper.cli import progress
from scraper.cli.speak import tell
from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from scraper.stats import Capacity, Load, Sample

NOW = Sample(
    at=10.0, input=2000, done=1500, open=500, ok=1400, failures={"http_status": 30, "timeout": 70}, pages_bytes=0,
    in_flight=64, queued=400, backoffs=0, parsing=36, bodies_waiting=False, is_exhausted=True, parse_busy_s=0.0,
    write_busy_s=0.0, loop_busy_s=0.0,
)  # fmt: skip
LOAD = Load(pages_per_s=250.0, slots=1.0, parse=0.0, write=0.0, loop=0.0)
LIMIT = "server latency: 103ms a request: raise fetch.concurrency from 64 to 128 (up to 2.0x)"

VIEW = progress.View(lambda: NOW, Capacity(64, 2), lambda: False, lambda: LIMIT)


def as_text(now: Sample, load: Load, limit: str = LIMIT, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(progress.picture(now, load, limit))
    return console.file.getvalue()


def test_picture_tells_counts_rate_time_left_failures_and_the_limit():
    text = as_text(NOW, LOAD)
    for words in ("1,500/2,000", "250 pages/s", "ETA 0:02", "in flight 64", "failed 100 (timeout 70, http_status 30)"):
        assert words in text
    assert f"limit: {LIMIT}" in text


def test_picture_of_a_list_that_is_still_read_makes_no_promise():
    text = as_text(replace(NOW, is_exhausted=False, failures={}), LOAD)
    assert "1,500+/2,000" in text
    assert "ETA ?" in text
    assert "failed" not in text


def test_run_that_starts_names_no_limit():
    assert "limit" not in as_text(NOW, LOAD, "")
    assert "limit" not in progress.plain_line(NOW, LOAD, "")


def test_ended_run_names_no_limit():
    assert "limit" not in as_text(replace(NOW, open=0), LOAD)


def test_advice_about_the_limit_is_whole_on_a_narrow_terminal():
    text = " ".join(as_text(NOW, LOAD, width=60).split())
    assert "raise fetch.concurrency from 64 to 128 (up to 2.0x)" in text
    assert "…" not in text


@pytest.mark.parametrize(("in_flight", "words"), [(64, "waiting for 100 pages"), (0, "waiting for 36 pages")])
def test_run_that_stops_says_what_it_waits_for_and_promises_no_time(in_flight, words):
    now = replace(NOW, in_flight=in_flight)
    console = Console(file=io.StringIO(), width=120)
    console.print(progress.picture(now, LOAD, LIMIT, is_stopping=True))
    for text in (console.file.getvalue(), progress.plain_line(now, LOAD, LIMIT, is_stopping=True)):
        assert f"stopping: {words}" in text
        assert "ETA" not in text
        assert "limit" not in text


async def test_terminal_that_is_gone_is_an_os_error_and_standard_output_stays_as_it_is(capfd):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        await progress.show_live(VIEW, progress.Terminal(file=Gone(), force_terminal=True))
    print("still here")
    assert capfd.readouterr().out == "still here\n"


def test_plain_line_is_one_line_with_the_same_facts():
    line = progress.plain_line(NOW, LOAD, LIMIT)
    assert "\n" not in line
    for words in ("1,500/2,000 done", "250 pages/s", "ETA 0:02", "timeout 70", "limit: "):
        assert words in line


@pytest.mark.parametrize(("left", "text"), [(59 * 250, "0:59"), (61 * 250, "1:01"), (3723 * 250, "1:02:03")])
def test_time_left_is_written_as_on_a_clock(left, text):
    assert progress.eta(replace(NOW, open=left), LOAD) == text


def test_stalled_run_has_no_time_left():
    assert progress.eta(NOW, replace(LOAD, pages_per_s=0.0)) == "?"


async def test_plain_progress_writes_a_line_each_interval(monkeypatch):
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.01)
    lines: list[str] = []
    enough = asyncio.Event()

    def write(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            enough.set()

    task = asyncio.ensure_future(progress.show_plain(VIEW, write))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(set(lines)) == 1


async def test_live_progress_draws_and_leaves_the_last_picture():
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    task = asyncio.ensure_future(progress.show_live(VIEW, console))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "1,500/2,000" in console.file.getvalue()


async def test_what_is_told_beside_the_picture_stands_above_it_and_stays():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    view = progress.View(lambda: NOW, Capacity(64, 2), lambda: True, lambda: "")
    showing = asyncio.create_task(progress.show_live(view, console))
    await asyncio.sleep(0)
    tell("stopping: [once more] to stop at once")
    showing.cancel()
    with suppress(asyncio.CancelledError):
        await showing
    shown = console.file.getvalue()
    assert shown.index("stopping: [once more] to stop at once") < shown.rindex("in flight")


async def test_picture_of_nothing_to_do_is_taken_away():
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    nothing = replace(NOW, done=0, open=0)
    showing = asyncio.create_task(
        progress.show_live(progress.View(lambda: nothing, Capacity(64, 2), lambda: False, lambda: ""), console)
    )
    await asyncio.sleep(0)
    showing.cancel()
    with suppress(asyncio.CancelledError):
        await showing
    assert console.file.getvalue().rstrip().endswith("\x1b[2K"), "the last that was written erases a line"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_has_no_letters_for_is_escaped_and_json_stays_json(encoding, tmp_path):
    (tmp_path / "a.html").write_text("<title>☃ 🦊</title>", encoding="utf-8")
    command = [sys.executable, "-m", "scraper", "inspect", "a.html", "--json", "--set", "fields.t=title"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=environment, timeout=60, check=True)
    assert json.loads(done.stdout.decode(encoding))["t"] == "☃ 🦊"


def test_dumb_terminal_is_given_lines(cli, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    inner, outer = os.openpty()
    with running_site(SiteOptions(pages=20)) as site:
        url = f"{site.url}/shop/item/1"
        with cli.start("run", url, stderr=outer) as process:
            os.close(outer)
            shown = b""
            with suppress(OSError):  # the other end is closed
                while data := os.read(inner, 4096):
                    shown += data
    os.close(inner)
    assert process.returncode == 0
    assert b"done: 1 page in" in shown
    assert b"in flight" not in shown
    assert b"\x1b" not in shown
