"""The writer thread: what is committed, when, and what an error leaves."""

import threading

import pytest

from scraper.errors import SinkError, WriteError
from scraper.write.files import AppendFile
from scraper.write.writer import Entry, Writer


class Log:
    """Takes commits in memory; can be told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.commits: list[tuple[dict[str, int], dict[str, list[int]]]] = []
        self.error = error

    def __call__(self, files, outcomes) -> None:
        if self.error:
            raise self.error
        self.commits.append((dict(files), {kind: list(keys) for kind, keys in outcomes.items()}))


@pytest.fixture
def stores(tmp_path):
    rows, failures = AppendFile(tmp_path / "pages.jsonl"), AppendFile(tmp_path / "failures.jsonl")
    rows.open(0)
    failures.open(0)
    return rows, failures


def writer(stores, log, on_commit=lambda group: None, on_error=None, every_s=60.0, size=1 << 20) -> Writer:
    def unexpected(error):
        raise AssertionError(error)

    on_error = on_error or unexpected
    return Writer(*stores, log, commit_every_s=every_s, commit_bytes=size, on_commit=on_commit, on_error=on_error)


def test_leaving_commits_everything_that_was_put(stores, tmp_path):
    log, durable = Log(), []
    with writer(stores, log, durable.extend) as thread:
        thread.put([Entry(1, "ok", b"one\n"), Entry(2, "dns", b"bad\n")])
        thread.put([Entry(3, "ok", b"three\n")])
    assert (tmp_path / "pages.jsonl").read_bytes() == b"one\nthree\n"
    assert (tmp_path / "failures.jsonl").read_bytes() == b"bad\n"
    assert log.commits == [({"pages.jsonl": 10, "failures.jsonl": 4}, {"ok": [1, 3], "dns": [2]})]
    assert [entry.key for entry in durable] == [1, 2, 3]


def test_group_is_committed_when_it_is_old(stores):
    committed = threading.Event()
    with writer(stores, Log(), lambda group: committed.set(), every_s=0.01) as thread:
        thread.put([Entry(1, "ok", b"one\n")])
        assert committed.wait(10)


def test_group_is_committed_when_it_is_large(stores):
    committed = threading.Event()
    with writer(stores, Log(), lambda group: committed.set(), size=8) as thread:
        thread.put([Entry(1, "ok", b"12345678\n")])
        assert committed.wait(10)


def test_group_is_committed_when_somebody_hurries(stores):
    committed = threading.Event()
    with writer(stores, Log(), lambda group: committed.set()) as thread:
        thread.put([Entry(1, "ok", b"one\n")])
        thread.commit_soon()
        assert committed.wait(10)
    log = Log()
    with writer(stores, log) as thread:
        thread.commit_soon()
    assert log.commits == []


def test_nothing_put_means_no_commit(stores):
    log = Log()
    with writer(stores, log):
        pass
    assert log.commits == []


def test_commit_that_fails_is_told_once_and_names_nothing_durable(stores):
    errors, durable = [], []
    log = Log(OSError(28, "No space left on device", "journal"))
    with writer(stores, log, durable.extend, errors.append, size=1) as thread:
        thread.put([Entry(1, "ok", b"one\n")])
        thread.put([Entry(2, "ok", b"two\n")])
    assert durable == []
    (error,) = errors
    assert thread.error is error
    assert isinstance(error, WriteError)
    assert "journal: No space left on device" in str(error)
    assert "resume" in str(error)


def test_reopened_file_is_cut_back_to_what_was_committed(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b"one\ntwo\nhal")
    file = AppendFile(path)
    file.open(8)
    file.write([b"three\n"])
    assert file.commit() == 14
    file.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_file_shorter_than_its_commit_is_refused(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b"one\n")
    file = AppendFile(path)
    with pytest.raises(SinkError, match="has 4 bytes, but 8 were committed"):
        file.open(8)
    file.close()


def test_head_is_written_once(tmp_path):
    path = tmp_path / "pages.csv"
    for committed in (0, 8):
        file = AppendFile(path, b"url,n\r\n")
        file.open(committed and path.stat().st_size)
        file.write([b"u,1\r\n"])
        file.commit()
        file.close()
    assert path.read_bytes() == b"url,n\r\nu,1\r\nu,1\r\n"
