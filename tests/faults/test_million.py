"""A million URLs in one run: the last of them cost the journal, and what commits them, as much as the first."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import pytest

from scraper.journal import FORMAT_VERSION, Journal, JournalHeader, Position
from scraper.outputs import Outputs
from scraper.records import Mark
from scraper.resume import Done, done_of
from scraper.write.files import AppendFile
from scraper.write.writer import Entry

URLS, GROUP = 1_000_000, 1000
GROUPS = URLS // GROUP
TENTH = GROUPS // 10
HEADER = JournalHeader(FORMAT_VERSION, {"format": ["jsonl"]}, "2026-01-01T00:00:00Z")


def groups() -> Iterator[list[Entry]]:
    """Outcomes as a run has them: one in twenty failed, and each row's page has a content hash."""
    numbers = random.Random(1)
    for _ in range(GROUPS):
        keys = [numbers.getrandbits(64) for _ in range(GROUP)]
        yield [
            Entry(key, "dns", b'{"error":"dns"}\n') if not place % 20 else Entry(key, "ok", b"{}\n", Mark(content=key))
            for place, key in enumerate(keys)
        ]


class Output:
    """The output of a run, and what each group cost it."""

    def __init__(self, folder: Path, exits: ExitStack) -> None:
        folder.mkdir()
        journal = exits.enter_context(Journal(folder / "journal"))
        journal.start(HEADER)
        files = [AppendFile(folder / name) for name in ("pages.jsonl", "failures.jsonl")]
        for file in files:
            file.open()
            file.recover({})
        self._journal = journal.path
        self._outputs = Outputs(journal, {0: files[0]}, {}, files[1], Done(), Position)
        exits.callback(self._outputs.close)
        self.seconds: list[float] = []
        """Of CPU: how busy the machine is counts as little as may be."""
        self._lengths = [self._journal.stat().st_size]

    def commit(self, entries: list[Entry]) -> None:
        started = time.thread_time()
        self._outputs.write(entries)
        self._outputs.commit(entries)
        self.seconds.append(time.thread_time() - started)
        self._lengths.append(self._journal.stat().st_size)

    @property
    def bytes(self) -> list[int]:
        """By which the journal grew."""
        return [after - before for before, after in pairwise(self._lengths)]


def test_the_last_of_a_million_urls_cost_as_much_as_the_first(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with ExitStack() as exits:
        run = Output(tmp_path / "run", exits)
        young = Output(tmp_path / "young", exits)  # the first of another run, measured beside the last of the million
        for number, entries in enumerate(groups()):
            run.commit(entries)
            if number >= GROUPS - TENTH:
                young.commit(entries)
    first, last = median(young.seconds) / GROUP, median(run.seconds[-TENTH:]) / GROUP
    first_bytes, last_bytes = mean(run.bytes[:TENTH]) / GROUP, mean(run.bytes[-TENTH:]) / GROUP
    told = f"a million URLs: {first * 1e6:.2f} us and {first_bytes:.1f} bytes of journal each at first"
    record_property("told", f"{told}, {last * 1e6:.2f} us and {last_bytes:.1f} bytes at last")
    assert last_bytes == pytest.approx(first_bytes, rel=0.2)
    assert last <= first * 1.2
    with Journal(tmp_path / "run" / "journal") as journal:
        done = done_of(journal.commits())
    assert (done.number, done.totals) == (GROUPS, {"ok": URLS * 19 // 20, "dns": URLS // 20})
