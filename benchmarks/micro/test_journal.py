"""The work of the writer for each commit, its wait for the disk included."""

from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from scraper.journal import Commit, Journal, JournalHeader, encode_line, pack_keys, unpack_keys

KEYS = [number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1000)]


def test_pack_1000_keys(benchmark: BenchmarkFixture) -> None:
    assert list(unpack_keys(benchmark(pack_keys, KEYS))) == KEYS


def test_commit_1000_keys(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        journal.start(JournalHeader(1, {}, "2026-01-01T00:00:00Z"))
        benchmark(lambda: journal.append(encode_line(Commit(1, {"pages.jsonl": 1}, {"ok": pack_keys(KEYS)}))))
    assert path.stat().st_size > len(KEYS) * 8
