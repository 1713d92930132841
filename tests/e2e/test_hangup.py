"""The terminal goes away in mid-run: SIGHUP from the kernel or the shell, writes that fail, a list that ends there."""

import json
import os
import signal
import subprocess
from contextlib import suppress

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.conftest import MODEL
from tests.outside import children_of, connections_to, is_alive, wait_until

fcntl = pytest.importorskip("fcntl", reason="terminals and hangups as Unix has them")
termios = pytest.importorskip("termios")

SETTINGS = ("--set", "write.commit_every=20ms", "--set", "fetch.concurrency=8")
INTERRUPTED, KEYBOARD = 3, 130


@pytest.fixture(scope="module")
def urls():
    with running_site(SiteOptions(pages=400, latency_s=0.03, not_found=0.05)) as running:
        yield [f"{running.url}/shop/item/{number}" for number in range(1, 121)]


def has_rows(cli, size: int = 10_000) -> bool:
    path = cli.folder / "output" / "pages.jsonl"
    return path.exists() and path.stat().st_size > size


def workers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    return children_of(process.pid)


def check_resumes(cli, urls: list[str], source: str) -> None:
    """What was done is kept, and the same command does the rest: each URL once."""
    assert not cli.summary()["finished"]
    assert cli("run", source, *SETTINGS).code == 0
    check_complete(cli, urls)


def check_complete(cli, urls: list[str]) -> None:
    assert sorted(line["url"] for line in cli.rows() + cli.failures()) == sorted(urls)
    assert cli.summary()["finished"]


class Terminal:
    """A command on a terminal of its own, which the test can close as a window is closed."""

    def __init__(self, cli, *arguments: str, is_controlling: bool, ignores: signal.Signals | None = None) -> None:
        """`is_controlling`: the kernel tells the command when the terminal goes. `ignores`: as nohup starts it."""
        self._master, slave = os.openpty()
        os.set_blocking(self._master, False)

        def prepare() -> None:
            if is_controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignores:
                signal.signal(ignores, signal.SIG_IGN)

        files = {"stdin": slave, "stdout": slave, "stderr": slave}
        self.process = cli.start(*arguments, **files, start_new_session=True, preexec_fn=prepare)
        self.shown = b""
        os.close(slave)

    def read(self) -> bool:
        """Take what was shown, so that the terminal never fills."""
        with suppress(BlockingIOError, OSError):
            while data := os.read(self._master, 65536):
                self.shown += data
        return True

    def type(self, data: bytes) -> None:
        os.write(self._master, data)

    def close(self) -> list[int]:
        """Close it; gives the workers that the command had."""
        workers = workers_of(self.process)
        os.close(self._master)
        assert workers or MODEL  # some models have none
        return workers

    def wait(self) -> int:
        return self.process.wait(30)


def test_closed_terminal_drains_the_run_and_leaves_no_worker(cli, urls):
    source = cli.write_list(urls)
    terminal = Terminal(cli, "run", source, *SETTINGS, is_controlling=True)
    wait_until(lambda: terminal.read() and has_rows(cli))
    workers = terminal.close()
    assert terminal.wait() == INTERRUPTED
    assert b"in flight" in terminal.shown
    wait_until(lambda: not any(map(is_alive, workers)))
    assert cli.summary()["ok"] == len(cli.rows())
    check_resumes(cli, urls, source)


def test_run_goes_on_when_a_terminal_is_gone_that_tells_it_nothing(cli, urls):
    terminal = Terminal(cli, "run", cli.write_list(urls), *SETTINGS, is_controlling=False)
    wait_until(lambda: terminal.read() and has_rows(cli))
    terminal.close()
    assert terminal.wait() == 0
    check_complete(cli, urls)


def test_under_nohup_the_run_goes_on_when_the_terminal_is_closed(cli, urls):
    terminal = Terminal(cli, "run", cli.write_list(urls), *SETTINGS, is_controlling=True, ignores=signal.SIGHUP)
    wait_until(lambda: terminal.read() and has_rows(cli))
    terminal.close()
    os.kill(terminal.process.pid, signal.SIGHUP)
    assert terminal.wait() == 0
    check_complete(cli, urls)


def test_list_typed_on_a_terminal_ends_with_it_and_what_was_typed_is_kept(cli, urls):
    terminal = Terminal(cli, "run", "-", *SETTINGS, is_controlling=True)
    terminal.type(f"{urls[0]}\n{urls[1]}\n".encode())
    wait_until(lambda: terminal.read() and has_rows(cli, 0))
    workers = terminal.close()
    assert terminal.wait() in (0, INTERRUPTED)  # whether the end of the list or the hangup is heard first
    wait_until(lambda: not any(map(is_alive, workers)))
    assert cli("run", cli.write_list(urls[:3]), *SETTINGS).code == 0
    check_complete(cli, urls[:3])


def test_hangup_is_told_twice_and_still_drains(cli):
    """The kernel tells the foreground job, and the shell each of its jobs."""
    with running_site(SiteOptions(pages=40, slow=1.0, slow_s=1.0)) as site:
        urls = [f"{site.url}/shop/item/{number}" for number in range(1, 17)]
        source = cli.write_list(urls)
        with cli.start("run", source, *SETTINGS) as process:
            wait_until(lambda: connections_to(site.url) == 8)
            os.kill(process.pid, signal.SIGHUP)
            assert b"the terminal is gone" in process.stderr.readline()
            os.kill(process.pid, signal.SIGHUP)
            err = process.communicate(timeout=20)[1]
        assert process.returncode == INTERRUPTED
        assert b"Traceback" not in err
        assert (cli.summary()["ok"], cli.summary()["unfinished"]) == (8, 8)
        check_resumes(cli, urls, source)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_end_asked_for_while_the_first_line_is_awaited_leaves_nothing(cli, number):
    os.mkfifo(cli.folder / "pipe")
    with cli.start("run", "pipe") as process:
        writer = os.open(cli.folder / "pipe", os.O_WRONLY)  # returns when the run has opened its end
        workers = workers_of(process)
        os.kill(process.pid, number)
        err = process.communicate(timeout=20)[1]
        os.close(writer)
    assert (process.returncode, err) == (KEYBOARD, b"scraper: interrupted\n")
    assert [path.name for path in cli.folder.iterdir()] == ["pipe"]
    wait_until(lambda: not any(map(is_alive, workers)))


def test_writer_of_the_list_that_dies_in_mid_list_ends_it(cli, urls):
    with cli.start("run", "-", *SETTINGS, stdin=subprocess.PIPE) as process:
        process.stdin.write("\n".join(urls[:20]).encode())
        process.stdin.close()
        assert process.wait(30) == 0
        process.stdin = None
        process.communicate()
    check_complete(cli, urls[:20])
    assert cli("run", "-", *SETTINGS, input="\n".join(urls[:40]).encode()).code == 0
    check_complete(cli, urls[:40])


def test_reader_of_the_summary_that_leaves_costs_nothing_but_the_summary(cli, urls):
    inner, outer = os.pipe()
    os.close(inner)
    with cli.start("run", *urls[:3], "--json", *SETTINGS, stdout=outer) as process:
        os.close(outer)
        err = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 0
    assert "done: 3 pages" in err
    assert "ipe" not in err
    check_complete(cli, urls[:3])


def test_reader_that_leaves_does_not_hide_that_the_run_was_interrupted(cli, urls):
    inner, outer = os.pipe()
    os.close(inner)
    with cli.start("run", cli.write_list(urls), "--json", *SETTINGS, stdout=outer) as process:
        os.close(outer)
        wait_until(lambda: has_rows(cli))
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    assert json.loads((cli.folder / "output" / "summary.json").read_text())["unfinished"] > 0
