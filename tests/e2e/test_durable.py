"""The whole command, and what may befall it: the same command again goes on, and every URL ends once."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.outside import is_alive, wait_until

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / "tests" / "faults" / "command.py"
SETTINGS = (
    "--no-progress",
    "--set",
    "write.commit_every=10ms",
    "--set",
    "fetch.concurrency=4",
    "--set",
    "fetch.retries=0",
)
KILLED = -signal.SIGKILL


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """60 pages, some of which are not there."""
    with running_site(SiteOptions(pages=200, latency_s=0.01, not_found=0.1)) as site:
        yield [f"{site.url}/shop/item/{number}" for number in range(1, 61)]


def faulty(cli: Any, options: list[str], *arguments: str) -> int:
    """Run the command with a fault or by another clock; gives its exit code."""
    command = [sys.executable, str(COMMAND), *options, "run", *arguments, *SETTINGS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cli.folder, env=environment, capture_output=True, timeout=40, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode


def rows_of(output: Path, format: str) -> list[dict[str, Any]]:
    if format == "jsonl":
        return [json.loads(line) for line in (output / "pages.jsonl").read_bytes().splitlines()]
    with closing(sqlite3.connect(output / "pages.sqlite")) as base:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute("SELECT * FROM pages")]


def found(output: Path, format: str) -> tuple[list[Any], list[Any]]:
    """All rows and failures, less the moment when each was made."""
    rows = rows_of(output, format)
    failures = [json.loads(line) for line in (output / "failures.jsonl").read_bytes().splitlines()]
    for line in rows + failures:
        del line["fetched_at" if "fetched_at" in line else "at"]
    return sorted(rows, key=lambda row: str(row["url"])), sorted(failures, key=lambda line: str(line["url"]))


@pytest.mark.parametrize("format", ["jsonl", "sqlite"])
def test_command_killed_at_any_effect_is_resumed_by_the_same_command(
    cli: Any, urls: list[str], format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (cli.write_list([*urls, "no url"]), "--set", f"write.format={format}", "-o")
    assert faulty(cli, ["--effects", "effects"], *arguments, "untouched") == 0
    wanted, points = found(cli.folder / "untouched", format), json.loads((cli.folder / "effects").read_text())
    assert len(wanted[0]) + len(wanted[1]) == 61
    choice, ends = random.Random(format), []
    for fault in ("half written and killed", "killed behind"):
        output = fault.replace(" ", "-")
        for at in (choice.randrange(2, 12), choice.randrange(2, len(points)), choice.randrange(2, len(points) // 2)):
            ends += [faulty(cli, ["--at", str(at), "--fault", fault], *arguments, output)]
        assert cli("run", *arguments, output, *SETTINGS).code == 0
        assert found(cli.folder / output, format) == wanted, f"{fault}, {ends}"
        assert cli.summary(output)["input"] == 61
    assert set(ends) <= {0, KILLED}
    assert ends.count(KILLED) >= 3, "the faults came too late to prove anything"
    with capsys.disabled():
        print(f"\n{format}: {len(points)} fault points of the command, killed at {ends.count(KILLED)}, all recovered")


def has_rows(cli: Any) -> bool:
    path = cli.folder / "output" / "pages.jsonl"
    return bool(path.exists() and path.stat().st_size)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="a process's children are told by Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_worker_killed_or_stopped_from_outside_costs_no_page(cli: Any, number: signal.Signals) -> None:
    settings = ("--set", "parse.processes=2", "--set", "parse.timeout=500ms", "--set", "fetch.concurrency=8")
    with running_site(SiteOptions(pages=400, latency_s=0.05)) as site:
        listed = [f"{site.url}/shop/item/{number}" for number in range(1, 151)]
        with cli.start(
            "run", cli.write_list(listed), "--no-progress", "--set", "write.commit_every=20ms", *settings
        ) as run:
            wait_until(lambda: has_rows(cli))
            workers = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
            os.kill(int(workers[0]), number)
            err = run.communicate(timeout=40)[1].decode()
    assert (run.returncode, cli.failures()) == (0, []), err
    assert sorted(row["url"] for row in cli.rows()) == sorted(listed)
    assert not is_alive(int(workers[0]))


@pytest.mark.skipif(os.name == "nt", reason="a run is known by its lock, which Windows lacks")
def test_second_run_on_a_folder_is_told_the_process_of_the_first(cli: Any) -> None:
    with running_site(SiteOptions(pages=40, latency_s=0.3)) as site:
        source = cli.write_list([f"{site.url}/shop/item/{number}" for number in range(1, 21)])
        with cli.start("run", source, *SETTINGS, "--set", "fetch.concurrency=1") as first:
            wait_until(lambda: has_rows(cli))
            second = cli("run", source)
            assert first.poll() is None
            first.kill()
            first.communicate()
    assert second.code == 2
    assert second.err == (
        f"scraper: output: another run is writing here (process {first.pid}): wait for it, or choose another folder "
        "with -o\n"
    )


@pytest.mark.parametrize(
    "ahead", [["3.2e7", "0"], ["0", "-3.2e7"]], ids=["a year ahead, then right", "right, then behind"]
)
def test_clock_that_is_set_back_between_sessions_changes_nothing(cli: Any, urls: list[str], ahead: list[str]) -> None:
    source = cli.write_list(urls)
    assert faulty(cli, [f"--ahead={ahead[0]}"], source, "--limit", "30") == 0
    before = cli.rows()
    assert faulty(cli, [f"--ahead={ahead[1]}"], source) == 0
    rows, failures = cli.rows(), cli.failures()
    assert rows[: len(before)] == before
    assert sorted(line["url"] for line in rows + failures) == sorted(urls)
    assert max(row["fetched_at"] for row in before) > min(row["fetched_at"] for row in rows[len(before) :])
    status = cli("status", "output")
    assert status.code == 0
    assert "finished: every record has its outcome" in status.out


def test_parts_of_somebody_under_a_url_outlive_a_run_killed_at_its_start(cli: Any, urls: list[str]) -> None:
    pytest.importorskip("fsspec", reason="the extra remote is not installed")
    part = cli.folder / "theirs" / "part-00000.jsonl"
    part.parent.mkdir()
    part.write_text("somebody's\n")
    arguments = (cli.write_list(urls[:3]), "--set", f"write.path=file://{part.parent}", "-o")
    assert faulty(cli, ["--effects", "effects"], *arguments, "refused") == 2
    points = json.loads((cli.folder / "effects").read_text())
    for at in range(1, len(points) + 1):
        assert faulty(cli, ["--at", str(at), "--fault", "killed behind"], *arguments, f"killed-{at}") == KILLED
        result = cli("run", *arguments, f"killed-{at}", *SETTINGS)
        assert (result.code, part.read_text()) == (2, "somebody's\n"), f"{at} of {points}: {result.err}"
        assert "holds rows but no journal" in result.err


def test_journal_damaged_in_its_midst_is_told_and_the_rest_done_again(cli, site):
    settings = ("--no-progress", "--set", "write.commit_every=0s", "--set", "fetch.concurrency=1")
    source = cli.write_list(site.urls[:20])
    assert cli("run", source, *settings).code == 0
    journal = cli.folder / "output" / "journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) > 5
    journal.write_bytes(b"".join([*lines[:3], lines[3].replace(b":", b";", 1), *lines[4:]]))
    result = cli("run", source, *settings)
    assert result.code == 0
    assert f"was damaged in its midst: what the {len(lines) - 4} lines behind that told is done again" in result.err
    assert sorted(line["url"] for line in cli.rows() + cli.failures()) == sorted(site.urls[:20])
