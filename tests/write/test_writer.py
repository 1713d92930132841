"""The writer thread: what is committed, when, and what an error leaves."""

import threading
import time

import pytest

from scraper.errors import SinkError, WriteError
from scraper.write.files import AppendFile
from scraper.write.writer import Entry, Writer


class MemorySink:
    """Takes commits in memory; can be told to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.written: list[Entry] = []
        self.commits: list[list[Entry]] = []
        self.error = error
        self.calls: list[str] = []

    def write(self, entries) -> None:
        self.written += entries

    def commit(self, entries) -> None:
        if self.error:
            raise self.error
        self.commits.append(list(entries))

    def finish(self) -> None:
        self.calls.append("finish")

    def close(self) -> None:
        self.calls.append("close")


def writer(sink, on_commit=lambda group: None, on_error=None, every_s=60.0, size=1 << 20) -> Writer:
    def unexpected(error):
        raise AssertionError(error)

    on_error = on_error or unexpected
    return Writer(sink, commit_every_s=every_s, commit_bytes=size, on_commit=on_commit, on_error=on_error)


ONE, TWO, BAD = Entry(1, "ok", b"one\n"), Entry(3, "ok", b"three\n"), Entry(2, "dns", b"bad\n")


def test_leaving_commits_everything_that_was_put():
    sink, durable = MemorySink(), []
    with writer(sink, durable.extend) as thread:
        thread.put([ONE, BAD])
        thread.put([TWO])
    assert sink.written == [ONE, BAD, TWO]
    assert sink.commits == [[ONE, BAD, TWO]]
    assert sink.calls == ["finish", "close"]
    assert durable == [ONE, BAD, TWO]


def test_group_is_committed_when_it_is_old():
    committed = threading.Event()
    with writer(MemorySink(), lambda group: committed.set(), every_s=0.01) as thread:
        thread.put([ONE])
        assert committed.wait(10)


@pytest.mark.parametrize("entry", [Entry(1, "ok", b"12345678\n"), Entry(1, "not_html", b"1\n", kept=b"2345678")])
def test_group_is_committed_when_it_is_large(entry):
    committed = threading.Event()
    with writer(MemorySink(), lambda group: committed.set(), size=8) as thread:
        thread.put([entry])
        assert committed.wait(10)


def test_group_is_committed_when_somebody_hurries():
    committed = threading.Event()
    with writer(MemorySink(), lambda group: committed.set()) as thread:
        thread.put([ONE])
        thread.commit_soon()
        assert committed.wait(10)
    sink = MemorySink()
    with writer(sink) as thread:
        thread.commit_soon()
    assert sink.commits == []


def test_nothing_put_means_no_commit():
    sink = MemorySink()
    with writer(sink):
        pass
    assert (sink.commits, sink.calls) == ([], ["finish", "close"])


def test_commit_that_fails_is_told_once_and_names_nothing_durable():
    errors, durable = [], []
    sink = MemorySink(OSError(28, "No space left on device", "journal"))
    with writer(sink, durable.extend, errors.append, size=1) as thread:
        thread.put([ONE])
        thread.put([TWO])
    assert durable == []
    assert sink.calls == ["close"], "after an error nothing is finished"
    (error,) = errors
    assert thread.error is error
    assert isinstance(error, WriteError)
    assert "journal: No space left on device" in str(error)
    assert "resume" in str(error)


def test_reopened_file_is_cut_back_to_what_was_committed(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b"one\ntwo\nhal")
    file = AppendFile(path)
    file.open()
    file.recover({"pages.jsonl": 8})
    file.write([b"three\n"])
    assert file.commit() == {"pages.jsonl": 14}
    file.close()
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_file_shorter_than_its_commit_is_refused(tmp_path):
    path = tmp_path / "pages.jsonl"
    path.write_bytes(b"one\n")
    file = AppendFile(path)
    file.open()
    with pytest.raises(SinkError, match="has 4 bytes, but 8 were committed"):
        file.recover({"pages.jsonl": 8})
    file.close()


def test_head_is_written_once(tmp_path):
    path = tmp_path / "pages.csv"
    for committed in (0, 8):
        file = AppendFile(path, b"url,n\r\n")
        file.open()
        file.recover({"pages.csv": committed and path.stat().st_size})
        file.write([b"u,1\r\n"])
        file.commit()
        file.close()
    assert path.read_bytes() == b"url,n\r\nu,1\r\nu,1\r\n"


def test_file_without_rows_has_its_head_all_the_same(tmp_path):
    file = AppendFile(tmp_path / "pages.csv", b"url\r\n")
    file.open()
    file.recover({})
    assert file.commit() == {"pages.csv": 0}
    file.finish()
    assert file.commit() == {"pages.csv": 5}
    file.close()


def test_seconds_until_an_outcome_is_durable_are_counted_for_each():
    with writer(MemorySink()) as thread:
        thread.put([ONE, BAD])
        time.sleep(0.03)
        thread.put([TWO])
    assert sum(n for _, n in thread.written.buckets()) == 3
    assert max(bound for bound, _ in thread.written.buckets()) >= 0.03


def test_writing_that_goes_on_counts_as_busy_already():
    writing, may_end = threading.Event(), threading.Event()

    class Slow(MemorySink):
        def write(self, entries) -> None:
            writing.set()
            may_end.wait(10)

    with writer(Slow()) as thread:
        thread.put([ONE])
        writing.wait(10)
        time.sleep(0.02)
        busy_s = thread.busy_s
        may_end.set()
    assert 0.02 <= busy_s <= thread.busy_s
