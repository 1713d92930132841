"""What a run is connected to: pipes that stay silent, lists that are none, readers that leave, early interrupts."""

import json
import os
import signal
import subprocess
import time

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site
from tests.outside import connections_to, wait_until

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes and signals as Unix has them")

URL = "http://127.0.0.1:9/"
INTERRUPTED, KEYBOARD = 3, 130


def wait_for_output(cli, name: str = "journal", size: int = 0) -> None:
    """Wait until a file of the output is there and has more than so many bytes."""
    path = cli.folder / "output" / name
    wait_until(lambda: path.exists() and path.stat().st_size > size)


def interrupt(process: "subprocess.Popen[bytes]") -> str:
    os.kill(process.pid, signal.SIGINT)
    err = process.communicate(timeout=20)[1].decode()
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "nothing came"), (b"# a comment\n", "nothing came"), (bytes(range(256)) * 20, "is a binary file")],
    ids=["empty", "comment", "binary"],
)
def test_standard_input_that_is_no_list_is_refused_before_anything_is_written(cli, content, words):
    result = cli("run", "-", input=content)
    assert result.code == 2
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert list(cli.folder.iterdir()) == []


def test_interrupt_while_the_first_line_is_awaited_leaves_nothing(cli):
    os.mkfifo(cli.folder / "pipe")
    with cli.start("run", "pipe") as process:
        writer = os.open(cli.folder / "pipe", os.O_WRONLY)  # returns when the run has opened its end
        err = interrupt(process)
        os.close(writer)
    assert (process.returncode, err) == (KEYBOARD, "scraper: interrupted\n")
    assert [path.name for path in cli.folder.iterdir()] == ["pipe"]


def test_interrupt_ends_a_run_whose_pipe_was_never_opened_for_writing(cli):
    os.mkfifo(cli.folder / "pipe")
    with cli.start("--debug", "run", "pipe") as process:
        time.sleep(1.0)  # nothing on the outside tells that it waits for a writer
        interrupt(process)
    assert process.returncode == KEYBOARD


def test_interrupt_ends_a_run_that_waits_for_more_from_a_pipe(cli):
    os.mkfifo(cli.folder / "pipe")
    with (
        cli.start("run", "pipe", "--set", "fetch.retries=0") as process,
        (cli.folder / "pipe").open("wb", buffering=0) as writer,
    ):
        writer.write(f"{URL}\n".encode())
        wait_for_output(cli, "failures.jsonl")
        err = interrupt(process)
    assert process.returncode == INTERRUPTED
    assert "the same command resumes" in err
    assert not cli.summary()["finished"]


def test_pipe_is_read_to_its_end(cli, site):
    os.mkfifo(cli.folder / "pipe")
    with cli.start("run", "pipe", "-q") as process:
        (cli.folder / "pipe").write_text("\n".join(site.urls[:3]))
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert {row["url"] for row in cli.rows()} == set(site.urls[:3])


def closed_stderr(cli, *arguments: str) -> int:
    """The exit code of a command whose standard error nobody reads any more."""
    inner, outer = os.pipe()
    os.close(inner)
    try:
        return cli.start(*arguments, stderr=outer, stdout=subprocess.DEVNULL).wait(40)
    finally:
        os.close(outer)


def test_run_goes_on_when_nobody_reads_what_it_says(cli, site):
    assert closed_stderr(cli, "run", *site.urls[:3]) == 0
    assert len(cli.rows()) == 3


def test_run_goes_on_without_a_standard_error_and_no_file_takes_its_place(cli, site):
    command = cli.start("run", *site.urls[:3], preexec_fn=lambda: os.close(2))
    command.communicate(timeout=40)
    assert command.returncode == 0
    assert len(cli.rows()) == 3


def test_interrupt_is_heard_when_nobody_reads_what_is_said_about_it(cli):
    inner, outer = os.pipe()
    os.close(inner)
    with running_site(SiteOptions(pages=40, slow=1.0, slow_s=30.0)) as slow:
        source = cli.write_list([f"{slow.url}/shop/item/{number}" for number in range(1, 21)])
        with cli.start("run", source, "--set", "run.shutdown_timeout=100ms", stderr=outer) as process:
            os.close(outer)
            wait_until(lambda: connections_to(slow.url) == 20)
            os.kill(process.pid, signal.SIGINT)
            process.communicate(timeout=20)
    assert process.returncode == INTERRUPTED
    assert cli.summary()["unfinished"] == 20


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is there on Linux only")
@pytest.mark.parametrize(
    "arguments", [["check"], ["inspect", "a.html"], ["inspect", "a.html", "--json"], ["--version"]]
)
def test_answer_that_cannot_be_written_is_told_in_one_line(cli, arguments):
    (cli.folder / "a.html").write_text("<h1>x</h1>")
    with open("/dev/full", "wb") as full, cli.start(*arguments, stdout=full) as process:
        err = process.communicate(timeout=20)[1].decode()
    assert process.returncode == 1
    assert err == "scraper: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", [["check"], ["inspect", "a.html"]])
def test_reader_that_leaves_ends_the_command_quietly(cli, arguments):
    (cli.folder / "a.html").write_text("<h1>x</h1>")
    inner, outer = os.pipe()
    os.close(inner)
    with cli.start(*arguments, stdout=outer) as process:
        os.close(outer)
        assert process.communicate(timeout=20)[1] == b""


def test_users_module_that_prints_does_not_spoil_the_json(cli, site):
    (cli.folder / "noisy.py").write_text("print('hello')\ndef extract(page, tree):\n    return {}\n")
    result = cli("run", site.urls[0], "--json", "-q", "--set", "parse.function=noisy:extract")
    assert json.loads(result.out)["ok"] == 1
