"""What tests of the whole program share: the practice site, and the command line as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scraper.parse import process
from scraper.site.options import SiteOptions
from scraper.site.pagemap import PageMap
from scraper.site.server import running_site
from tests.postgres import NoServerError, running_postgres


@dataclass(frozen=True)
class Site:
    """A running practice site and its pages."""

    url: str
    options: SiteOptions

    @property
    def urls(self) -> list[str]:
        return [self.url + path for path in PageMap(self.options.pages).detail_paths]


def start_site(options: SiteOptions) -> Iterator[Site]:
    with running_site(options) as running:
        yield Site(running.url, options)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """300 pages without faults, 5 ms each."""
    yield from start_site(SiteOptions(pages=300, latency_s=0.005))


for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:  # as a shell's background job is started, or under nohup:
        signal.signal(number, usual)  # the commands that tests start and end would inherit that

MODEL = os.environ.get("MODEL", "")
"""The run.model to try all tests of the command line on that name none; "" = the default one."""


def with_model(arguments: Sequence[str]) -> list[str]:
    """The arguments of a command, a run's with the model under test."""
    command, *others = arguments or [""]
    return [command, *(["--set", f"run.model={MODEL}"] if MODEL and command == "run" else []), *others]


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


class Cli:
    """The command line, run in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, *arguments: str, **popen: Any) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "scraper", *with_model(arguments)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **popen}
        return subprocess.Popen(command, cwd=self.folder, env=environment, **pipes)

    def __call__(self, *arguments: str, input: bytes | None = None) -> Result:
        with self.start(*arguments, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(input or b"", timeout=50)
        result = Result(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in result.err, result.err
        return result

    def write_list(self, urls: Sequence[str], name: str = "urls.txt") -> str:
        (self.folder / name).write_text("".join(f"{url}\n" for url in urls))
        return name

    def rows(self, output: str = "output") -> list[dict[str, Any]]:
        return read_lines(self.folder / output / "pages.jsonl")

    def failures(self, output: str = "output") -> list[dict[str, Any]]:
        return read_lines(self.folder / output / "failures.jsonl")

    def summary(self, output: str = "output") -> dict[str, Any]:
        return json.loads((self.folder / output / "summary.json").read_text())


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a database on a PostgreSQL server that lives as long as the tests; they share it, but no table."""
    with ExitStack() as exits:
        try:
            url = exits.enter_context(running_postgres())
        except NoServerError as exc:
            pytest.skip(str(exc))
        yield url


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture(autouse=True)
def no_worker_is_left_ahead() -> Iterator[None]:
    """A command that ended before its pool began leaves workers in its folder, which the next pool would be given."""
    yield
    while process._ahead:
        worker, sock = process._ahead.popleft()
        sock.close()
        worker.wait(10)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Gzipped bytes hold the time, at their start or further in: two processes must agree on the test's name."""
    return f"{len(val)} bytes of gzip" if isinstance(val, bytes) and b"\x1f\x8b" in val else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show at the end what tests had to tell, whichever process ran them."""
    reports = terminalreporter.stats.get("passed", [])
    told = [text for report in reports for name, text in report.user_properties if name == "told"]
    if told:
        terminalreporter.section("what was tried")
        for text in told:
            terminalreporter.write_line(str(text))
