"""Death in mid-run: kill -9, one interrupt, two interrupts; then the same command again."""

import os
import signal
import time
from pathlib import Path

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.outside import children_of, connections_to, is_alive, wait_until

SETTINGS = ("--set", "write.commit_every=20ms", "--set", "fetch.concurrency=8", "--no-progress")


@pytest.fixture(scope="module")
def slow_site():
    with running_site(SiteOptions(pages=400, latency_s=0.03, not_found=0.05)) as running:
        yield [f"{running.url}/shop/item/{number}" for number in range(1, 201)]


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def check_complete(cli, urls: list[str]) -> None:
    """Each URL once, in the rows or in the failures."""
    done = [line["url"] for line in cli.rows() + cli.failures()]
    assert sorted(done) == sorted(urls)
    summary = cli.summary()
    assert summary["finished"]
    assert (summary["input"], summary["ok"] + summary["failed"]) == (len(urls), len(urls))


def test_killed_again_and_again_every_url_ends_exactly_once(cli, slow_site):
    source, rows = cli.write_list(slow_site), cli.folder / "output" / "pages.jsonl"
    for _ in range(3):
        before = size_of(rows)
        with cli.start("run", source, *SETTINGS) as process:
            wait_until(lambda before=before: size_of(rows) > before + 20_000)
            workers = children_of(process.pid)
            process.kill()
        assert workers
        wait_until(lambda workers=workers: not any(map(is_alive, workers)))  # no orphan is left
    assert 0 < len(rows.read_bytes().splitlines()) < 200, "the kills came too late to prove anything"
    assert cli("run", source, *SETTINGS).code == 0
    check_complete(cli, slow_site)


def test_half_a_row_behind_the_last_commit_is_cut_off(cli, slow_site):
    source = cli.write_list(slow_site[:20])
    cli("run", source, *SETTINGS, "--limit", "10")
    for name in ("pages.jsonl", "failures.jsonl", "journal"):
        with (cli.folder / "output" / name).open("ab") as file:
            file.write(b'{"url":"http://half/a/row')
    assert cli("run", source, *SETTINGS).code == 0
    check_complete(cli, slow_site[:20])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_interrupt_finishes_what_is_under_way_and_exits_3(cli, slow_site, number):
    source, rows = cli.write_list(slow_site), cli.folder / "output" / "pages.jsonl"
    with cli.start("run", source, *SETTINGS) as process:
        wait_until(lambda: size_of(rows) > 10_000)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert b"Traceback" not in err
    assert b"the same command resumes" in err
    summary = cli.summary()
    assert not summary["finished"]
    assert summary["unfinished"] > 0
    assert summary["ok"] == len(cli.rows())
    assert summary["input"] == summary["ok"] + summary["failed"] + summary["unfinished"]
    assert cli("run", source, *SETTINGS).code == 0
    check_complete(cli, slow_site)


def test_second_interrupt_ends_at_once_and_the_journal_still_holds(cli):
    with running_site(SiteOptions(pages=40, slow=1.0, slow_s=30.0)) as site:
        source = cli.write_list([f"{site.url}/shop/item/{number}" for number in range(1, 21)])
        with cli.start("run", source, *SETTINGS) as process:
            wait_until(lambda: connections_to(site.url) == 8)
            os.kill(process.pid, signal.SIGINT)
            assert b"stopping" in process.stderr.readline()
            started = time.monotonic()
            os.kill(process.pid, signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == 3
    assert time.monotonic() - started < 5
    assert cli.summary()["unfinished"] == 20


@pytest.mark.parametrize("delay_s", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_interrupts_while_the_run_begins_end_it_as_any_others(cli, delay_s):
    with running_site(SiteOptions(pages=40, slow=1.0, slow_s=30.0)) as site:
        source = cli.write_list([f"{site.url}/shop/item/{number}" for number in range(1, 21)])
        with cli.start("run", source, *SETTINGS) as process:
            wait_until(lambda: (cli.folder / "output" / "journal").exists())
            time.sleep(delay_s)
            os.kill(process.pid, signal.SIGINT)
            first = process.stderr.readline()
            os.kill(process.pid, signal.SIGINT)
            err = process.communicate(timeout=20)[1]
    assert first.startswith(b"stopping")
    assert err.startswith(b"interrupted, the same command resumes: 0 pages")
    assert process.returncode == 3
    assert cli.summary()["ok"] == 0


def test_drain_ends_at_the_shutdown_timeout(cli):
    with running_site(SiteOptions(pages=40, slow=1.0, slow_s=30.0)) as site:
        source = cli.write_list([f"{site.url}/shop/item/{number}" for number in range(1, 21)])
        with cli.start("run", source, *SETTINGS, "--set", "run.shutdown_timeout=300ms") as process:
            wait_until(lambda: connections_to(site.url) == 8)
            os.kill(process.pid, signal.SIGTERM)
            process.communicate(timeout=20)
    assert process.returncode == 3


def test_second_run_on_the_same_folder_is_refused(cli, slow_site):
    source = cli.write_list(slow_site)
    with cli.start("run", source, *SETTINGS, "--set", "politeness.delay=1s") as process:
        wait_until(lambda: size_of(cli.folder / "output" / "pages.jsonl") > 0)
        result = cli("run", source)
        process.kill()
    assert result.code == 2
    assert "another run is writing here" in result.err


def test_interrupted_run_that_waits_for_more_standard_input_ends(cli, slow_site):
    with cli.start("run", "-", *SETTINGS, stdin=-1) as process:
        process.stdin.write(f"{slow_site[0]}\n".encode())
        process.stdin.flush()
        wait_until(lambda: size_of(cli.folder / "output" / "pages.jsonl") > 0)
        os.kill(process.pid, signal.SIGINT)
        process.wait(20)
        process.communicate()
    assert process.returncode == 3
    assert [row["url"] for row in cli.rows()] == slow_site[:1]
