"""The guardian of models with one process: what it decides, and what it does for a run that a page takes down."""

import json
import os
import re
import signal

import pytest

from scraper.cli.guardian import can_guard, dying_of_want
from scraper.cli.losses import BARREN, LONG_S, MOST_SUSPECTS, Losses, Overdue
from scraper.config import load_config
from scraper.models.wall import Board, Wall
from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.outside import children_of, is_alive, wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux tells when a process ends")

MODELS = ("asyncio", "asyncio-threads", "threads")
RULES = """
import ctypes, os, time
def crash(page, tree):
    if page.url.endswith("/5"): ctypes.string_at(0)
    return {"seen": page.url}
def crash_all(page, tree):
    ctypes.string_at(0)
def leave(page, tree):
    if page.url.endswith("/5"): os._exit(0)
    return {"seen": page.url}
def slow(page, tree):
    time.sleep(0.05)
    return {"seen": page.url}
def hang(page, tree):
    if page.url.endswith("/5"): time.sleep(3600)
    return {"seen": page.url}
"""


@pytest.fixture(scope="module")
def urls():
    with running_site(SiteOptions(pages=200, latency_s=0.02)) as site:
        yield [f"{site.url}/shop/item/{number}" for number in range(1, 41)]


@pytest.fixture
def settings(cli):
    (cli.folder / "rules.py").write_text(RULES)

    def words(model: str, function: str, *more: str) -> list[str]:
        every = (f"run.model={model}", f"parse.function=rules:{function}", "fetch.concurrency=4", *more)
        return ["--no-progress", *(word for each in every for word in ("--set", each))]

    return words


def child_of(pid: int) -> int:
    return children_of(pid)[0]


def rows_of(cli) -> int:
    path = cli.folder / "output" / "pages.jsonl"
    return len(path.read_bytes().splitlines()) if path.exists() else 0


# -- what it decides


def test_pages_that_were_in_parse_are_suspected_once():
    losses = Losses()
    assert losses.add([b"http://a.example/1"], 0.1)
    assert losses.words("crashed (SIGSEGV)") == (
        "the run crashed (SIGSEGV), perhaps of http://a.example/1: it begins again where it was, and what was in parse "
        "goes to a process apart"
    )
    assert losses.add([b"http://a.example/1", b"http://a.example/2", b"http://a.example/3"], 0.1)
    assert losses.newest == [b"http://a.example/2", b"http://a.example/3"]
    assert "perhaps of http://a.example/2 or 1 more:" in losses.words("crashed (SIGSEGV)")
    assert len(losses.suspects) == 3


def test_run_that_dies_again_and_again_of_no_page_is_given_up():
    losses = Losses()
    assert [losses.add([], 0.1) for _ in range(BARREN)] == [True, True, False]
    assert "3 times in a row, and no page is to blame" in losses.words("crashed (SIGABRT)")


@pytest.mark.parametrize("between", [([b"http://a.example/1"], 0.1), ([], LONG_S + 1)])
def test_run_that_lived_long_or_died_of_a_page_is_not_given_up(between):
    losses = Losses()
    assert [losses.add(*each) for each in [([], 0.1), ([], 0.1), between, ([], 0.1), ([], 0.1)]] == [True] * 5
    assert losses.words("was killed") == "the run was killed: it begins again where it was"


def test_when_too_many_are_suspected_all_are_and_then_nobody_is_named():
    losses = Losses()
    for number in range(MOST_SUSPECTS + 1):
        assert losses.add([f"http://a.example/{number}".encode()], 0.1)
    assert losses.are_many
    assert "all pages go to a process apart" in losses.words("crashed (SIGSEGV)")
    losses.add([b"http://a.example/100"], 0.1)
    assert losses.newest == []


def test_page_is_overdue_after_its_time_in_which_the_run_ran():
    overdue, page = Overdue(2.0), (3, 17.5)
    assert not overdue.look([page], 0.25)
    assert not any(overdue.look([page], 0.25) for _ in range(8))
    assert overdue.look([page], 0.25)


def test_next_page_in_the_same_place_has_its_own_time():
    overdue = Overdue(1.0)
    assert not any(overdue.look([(0, float(since))], 0.9) for since in range(9))
    assert not overdue.look([], 5.0)


@pytest.mark.parametrize("model", MODELS)
def test_models_with_one_process_have_a_guardian_where_the_list_can_be_read_again(model, tmp_path):
    (tmp_path / "list.txt").write_text("")
    os.mkfifo(tmp_path / "pipe")
    config = load_config(None, [f"run.model={model}"])
    assert can_guard(config, [str(tmp_path / "list.txt"), "http://a.example/" + "x" * 5000])
    assert not can_guard(config, ["-"])
    assert not can_guard(config, [str(tmp_path / "pipe")])
    assert not can_guard(load_config(None, []), [str(tmp_path / "list.txt")])


def test_run_that_is_left_without_memory_is_killed_for_its_guardian():
    child = os.fork()
    if not child:
        with dying_of_want(Wall(Board())):
            raise ExceptionGroup("of a task", [MemoryError()])
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with pytest.raises(MemoryError), dying_of_want(None):
        raise MemoryError


# -- what it does


@pytest.mark.parametrize("model", MODELS)
def test_page_that_crashes_the_run_fails_alone_and_is_named(model, cli, urls, settings):
    result = cli("run", cli.write_list(urls), *settings(model, "crash"))
    assert result.code == 0, result.err
    assert [(line["url"], line["error"]) for line in cli.failures()] == [(urls[4], "parse_crash")]
    assert sorted(row["url"] for row in cli.rows()) == sorted(set(urls) - {urls[4]})
    named = re.search(r"^scraper: the run crashed \(SIGSEGV\), perhaps of (\S+)(?: or \d more)?: ", result.err, re.M)
    assert named is not None
    assert model != "asyncio" or named[1] == urls[4]  # threads parse others at that moment


@pytest.mark.parametrize("model", MODELS)
def test_page_that_ends_the_run_from_within_fails_alone(model, cli, urls, settings):
    result = cli("run", cli.write_list(urls), *settings(model, "leave"))
    assert result.code == 0
    assert "was ended from within, with exit code 0" in result.err
    assert [(line["url"], line["error"]) for line in cli.failures()] == [(urls[4], "parse_crash")]
    assert len(cli.rows()) == len(urls) - 1


def test_quiet_run_says_nothing_of_it(cli, urls, settings):
    assert cli("run", cli.write_list(urls[:8]), "--quiet", *settings("asyncio", "crash")).err == ""
    assert len(cli.rows()) == 7


def test_native_code_that_does_not_return_is_ended_and_its_page_named(cli, urls, settings):
    """`time.sleep` stands for it in a thread: there too nothing can interrupt it."""
    result = cli("run", cli.write_list(urls), *settings("threads", "hang", "parse.timeout=300ms"))
    assert result.code == 0, result.err
    assert [(line["url"], line["error"]) for line in cli.failures()] == [(urls[4], "parse_timeout")]
    assert len(cli.rows()) == 39


def test_site_whose_pages_all_crash_ends_with_a_failure_for_each(cli, urls, settings):
    result = cli("run", cli.write_list(urls[:14]), *settings("asyncio", "crash_all"))
    assert result.code == 0, result.err
    assert [line["error"] for line in cli.failures()] == ["parse_crash"] * 14
    assert "all pages go to a process apart" in result.err


def test_limit_counts_over_the_processes_of_a_run(cli, urls, settings):
    assert cli("run", cli.write_list(urls), "--limit", "10", *settings("asyncio", "crash")).code == 0
    assert len(cli.rows()) + len(cli.failures()) == 10


def test_fresh_starts_over_once(cli, urls, settings):
    source = cli.write_list(urls)
    assert cli("run", source, "--limit", "2", *settings("asyncio", "slow")).code == 0
    words = settings("asyncio", "slow", "write.commit_every=20ms")
    with cli.start("run", source, "--fresh", *words) as process:
        wait_until(lambda: rows_of(cli) > 8)
        os.kill(child_of(process.pid), signal.SIGKILL)
        err = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0, err
    assert "scraper: the run was killed (SIGKILL" in err
    assert sorted(row["url"] for row in cli.rows()) == sorted(urls)
    assert cli.summary()["input"] == 40
    assert "of them done earlier" in err  # what the first process did stands


def test_run_that_is_killed_while_it_stops_is_not_begun_again(cli, urls, settings):
    words = settings("asyncio", "slow", "write.commit_every=20ms", "parse.timeout=10s")
    with cli.start("run", cli.write_list(urls), *words) as process:
        wait_until(lambda: rows_of(cli) > 2)
        run = child_of(process.pid)
        os.kill(run, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        os.kill(run, signal.SIGKILL)
        err = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 3
    assert "while it was stopping: the same command resumes" in err
    assert cli("run", "urls.txt", *words).code == 0
    assert sorted(row["url"] for row in cli.rows()) == sorted(urls)


def test_run_ends_with_its_guardian(cli, urls, settings):
    with cli.start("run", cli.write_list(urls), *settings("asyncio", "slow", "write.commit_every=20ms")) as process:
        wait_until(lambda: rows_of(cli) > 2)
        run = child_of(process.pid)
        process.kill()
    wait_until(lambda: not is_alive(run))


def test_signal_that_is_no_crash_ends_both(cli, urls, settings):
    with cli.start("run", cli.write_list(urls), *settings("asyncio", "slow", "write.commit_every=20ms")) as process:
        wait_until(lambda: rows_of(cli) > 2)
        os.kill(child_of(process.pid), signal.SIGUSR1)
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGUSR1


def test_exit_codes_and_the_answer_are_the_runs(cli, urls, settings):
    result = cli("run", cli.write_list(urls[:3]), "--json", *settings("asyncio", "slow"))
    assert (result.code, json.loads(result.out)["ok"]) == (0, 3)
    assert cli("run", "missing.txt", *settings("asyncio", "slow")).code == 2
