"""A million URLs in one run: the last of them cost the journal, and what commits them, as much as the first."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from scraper.journal import FORMAT_VERSION, Journal, JournalHeader, Position
from scraper.outputs import Outputs
from scraper.records import Mark
from scraper.resume import Done, done_of
from scraper.write.files import AppendFile
from scraper.write.writer import Entry

URLS, GROUP = 1_000_000, 1000
TENTH = URLS // GROUP // 10
HEADER = JournalHeader(FORMAT_VERSION, {"format": ["jsonl"]}, "2026-01-01T00:00:00Z")


def groups() -> Iterator[list[Entry]]:
    """Outcomes as a run has them: one in twenty failed, and each row's page has a content hash."""
    numbers = random.Random(1)
    for _ in range(URLS // GROUP):
        keys = [numbers.getrandbits(64) for _ in range(GROUP)]
        yield [
            Entry(key, "dns", b'{"error":"dns"}\n') if not place % 20 else Entry(key, "ok", b"{}\n", Mark(content=key))
            for place, key in enumerate(keys)
        ]


def committed(folder: Path) -> tuple[list[float], list[int]]:
    """CPU seconds and bytes of the journal of each group."""
    rows, failures = AppendFile(folder / "pages.jsonl"), AppendFile(folder / "failures.jsonl")
    seconds, lengths = [], [0]
    with Journal(folder / "journal") as journal:
        journal.start(HEADER)
        for file in (rows, failures):
            file.open()
            file.recover({})
        outputs = Outputs(journal, {0: rows}, {}, failures, Done(), Position)
        for entries in groups():
            started = time.thread_time()
            outputs.write(entries)
            outputs.commit(entries)
            seconds.append(time.thread_time() - started)
            lengths.append(journal.path.stat().st_size)
        outputs.finish()
        outputs.close()
    return seconds, [after - before for before, after in pairwise(lengths[1:])]


def test_the_last_of_a_million_urls_cost_as_much_as_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, lengths = committed(tmp_path)
    first, last = (median(part) / GROUP for part in (seconds[:TENTH], seconds[-TENTH:]))
    first_bytes, last_bytes = (sum(part) / GROUP / len(part) for part in (lengths[:TENTH], lengths[-TENTH:]))
    with capsys.disabled():
        print(f"\na million URLs: {first * 1e6:.2f} us and {first_bytes:.1f} bytes each at first, ", end="")
        print(f"{last * 1e6:.2f} us and {last_bytes:.1f} bytes at last")
    assert last_bytes == pytest.approx(first_bytes, rel=0.2)
    assert last <= first * 1.2
    with Journal(tmp_path / "journal") as journal:
        done = done_of(journal.commits())
    assert (done.number, done.totals) == (URLS // GROUP, {"ok": URLS * 19 // 20, "dns": URLS // 20})
