"""A run in this process with its work counted: what it asks of the loop, of the disk and of the workers' sockets."""

import io
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import can_ada
import pytest

from scraper import disk, monitor
from scraper import loop as event_loop
from scraper.cli.live import scrape_with_progress
from scraper.config import Config, load_config
from scraper.journal import Commit, read_records
from scraper.parse import pool
from scraper.parse.link import Worker
from scraper.session import Request


@dataclass(repr=False)
class Work:
    """What one run did. Lists, because other threads add to them too, and appending is atomic."""

    pages: int
    config: Config
    seconds: float = 0.0
    body_bytes: int = 0
    row_bytes: int = 0
    commits: int = 0
    tasks: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    hops: list[str] = field(default_factory=list)
    """What was handed to a thread of an executor."""
    turns: list[str] = field(default_factory=list)
    """What was put into the loop's queue by its own thread: a task goes on for each."""
    wake_ups: list[str] = field(default_factory=list)
    """The same by other threads: each may wake the loop out of its `epoll`."""
    url_parses: list[str] = field(default_factory=list)
    fsyncs: list[int] = field(default_factory=list)
    row_writes: list[int] = field(default_factory=list)
    """Bytes of each write to the rows' file."""
    sent: list[list[bytes]] = field(default_factory=list)
    """The pieces of each message to a worker, its setup included."""
    calls: Counter[str] = field(default_factory=Counter)
    """On the loop's thread: `file:function` of Python, `name` of C, how often."""

    @property
    def batches(self) -> list[list[bytes]]:
        """The messages with pages in them: all but each worker's setup, which is one piece."""
        return [pieces for pieces in self.sent if len(pieces) > 1]

    @property
    def python_calls(self) -> int:
        """Python functions entered, less those that count. A coroutine that goes on after a wait is not entered anew:
        how often it waits is the server's affair."""
        return sum(n for name, n in self.calls.items() if ":" in name and not name.startswith(__file__))

    @property
    def c_calls(self) -> int:
        """Built-in functions called, less what counts them."""
        return sum(n for name, n in self.calls.items() if ":" not in name)

    def calls_of(self, *ends: str) -> int:
        """Calls of what is named so, whatever the folder."""
        return sum(n for name, n in self.calls.items() if name.endswith(ends))

    def calls_into(self, *parts: str) -> dict[str, int]:
        """Calls into files with such a path."""
        return {name: n for name, n in self.calls.items() if any(part in name.partition(":")[0] for part in parts)}

    def profile(self, frame: Any, event: str, called: Any) -> None:
        """For `sys.setprofile`."""
        if event == "call" and not goes_on(frame.f_code, frame.f_lasti):
            self.calls[f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}"] += 1
        elif event == "c_call" and frame.f_code.co_filename != __file__:
            self.calls[called.__qualname__] += 1


@cache
def goes_on(code: CodeType, at: int) -> bool:
    """Whether code entered at an instruction is a coroutine or a generator that goes on: the argument of RESUME."""
    return at >= 0 and code.co_code[at + 1] & 3 != 0


def name_of(called: object) -> str:
    return getattr(called, "__qualname__", None) or type(called).__name__


def counting_loop(work: Work) -> Any:
    """uvloop's loop, noting what Python and C code ask of it through its methods."""
    uvloop = pytest.importorskip("uvloop", reason="the counts are those of uvloop, which is not for this system")

    class CountingLoop(uvloop.Loop):
        def create_task(self, coroutine, **options):
            work.tasks.append(name_of(coroutine))
            return super().create_task(coroutine, **options)

        def call_later(self, delay, callback, *arguments, **options):
            work.timers.append(name_of(callback))
            return super().call_later(delay, callback, *arguments, **options)

        def call_at(self, when, callback, *arguments, **options):
            work.timers.append(name_of(callback))
            return super().call_at(when, callback, *arguments, **options)

        def call_soon(self, callback, *arguments, **options):
            work.turns.append(name_of(callback))
            return super().call_soon(callback, *arguments, **options)

        def call_soon_threadsafe(self, callback, *arguments, **options):
            work.wake_ups.append(name_of(callback))
            return super().call_soon_threadsafe(callback, *arguments, **options)

        def run_in_executor(self, executor, function, *arguments):
            work.hops.append(name_of(function))
            return super().run_in_executor(executor, function, *arguments)

    return CountingLoop()


class CountingTransport:
    """A worker's transport, noting the very objects that it is given."""

    def __init__(self, transport: Any, sent: list[list[bytes]]) -> None:
        self._transport = transport
        self._sent = sent

    def writelines(self, pieces: Sequence[bytes]) -> None:
        self._sent.append(list(pieces))
        self._transport.writelines(pieces)

    def write(self, data: bytes) -> None:
        self._sent.append([data])
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def count_into(work: Work, patch: pytest.MonkeyPatch) -> None:
    """Put counters before all that is counted."""
    connection_made, fsync, parse, write_all = Worker.connection_made, os.fsync, can_ada.parse, disk.write_all

    def counting_write(file: io.FileIO, data: bytes) -> None:
        if "pages." in str(file.name):
            work.row_writes.append(len(data))
        write_all(file, data)

    def counting_fsync(fd: int) -> None:
        work.fsyncs.append(fd)
        fsync(fd)

    def counting_parse(text: str) -> can_ada.URL:
        work.url_parses.append(text)
        return parse(text)

    patch.setattr(
        Worker,
        "connection_made",
        lambda worker, transport: connection_made(worker, CountingTransport(transport, work.sent)),
    )
    patch.setattr(pool, "BATCH_S", 3600.0)  # batches by bytes alone: how fast a busy machine is must not be counted
    patch.setattr(monitor, "BEAT_S", 3600.0)  # the same: it looks at the clock, and not at pages
    patch.setattr(event_loop, "_loop_factory", lambda: lambda: counting_loop(work))
    patch.setattr(os, "fsync", counting_fsync)
    patch.setattr(can_ada, "parse", counting_parse)
    patch.setattr(disk, "write_all", counting_write)


CountRun = Callable[..., Work]


@pytest.fixture(scope="module")
def count_run(site, tmp_path_factory) -> CountRun:
    """Scrapes so many pages of the practice site as `scraper run` does, with settings as `--set` takes them."""

    def count(pages: int, *settings: str, progress: bool = False) -> Work:
        folder: Path = tmp_path_factory.mktemp("counted")
        (folder / "urls.txt").write_text("".join(f"{url}\n" for url in site.urls[:pages]))
        work = Work(pages, load_config(None, ["parse.processes=2", *settings]))
        request = Request([str(folder / "urls.txt")], folder / "output")
        with pytest.MonkeyPatch.context() as patch:
            count_into(work, patch)
            started, before = time.monotonic(), sys.getprofile()
            sys.setprofile(work.profile)
            try:
                outcome = scrape_with_progress(work.config, request, progress=progress)
            finally:
                sys.setprofile(before)
            work.seconds = time.monotonic() - started
        assert outcome.summary.ok == pages
        work.body_bytes = outcome.summary.bytes
        work.row_bytes = Path(outcome.files["rows"]).stat().st_size
        work.commits = sum(isinstance(record, Commit) for record in read_records(folder / "output" / "journal"))
        return work

    count(1)  # what is done once in a process, such as filling caches, is no page's
    return count
