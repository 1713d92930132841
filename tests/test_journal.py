"""The journal: what is read back, what a damaged end costs, who may open it."""

import os

import msgspec
import pytest

from scraper import disk
from scraper.errors import SinkError
from scraper.journal import (
    FORMAT_VERSION,
    Commit,
    Journal,
    JournalHeader,
    Session,
    decode_commit,
    encode_line,
    pack_keys,
    read_records,
    unpack_keys,
)
from scraper.resume import done_of, shape_changes

HEADER = JournalHeader(FORMAT_VERSION, {"format": "jsonl"}, "2026-01-01T00:00:00Z")
FIRST = Commit(1, {"pages.jsonl": 10, "failures.jsonl": 0}, {"ok": pack_keys([1, 2])})
SECOND = Commit(2, {"pages.jsonl": 30, "failures.jsonl": 5}, {"ok": pack_keys([3]), "dns": pack_keys([4])})


@pytest.fixture
def path(tmp_path):
    with Journal(tmp_path / "journal") as journal:
        journal.start(HEADER)
        journal.append(encode_line(FIRST))
        journal.append(encode_line(SECOND))
    return tmp_path / "journal"


def read(path):
    with Journal(path) as journal:
        return journal.header, list(journal.commits())


def test_all_commits_come_back_in_order(path):
    assert read(path) == (HEADER, [FIRST, SECOND])


def test_sum_of_the_commits_tells_each_outcome_and_the_last_lengths(path):
    done = done_of(read(path)[1])
    assert [done.outcome(key) for key in (1, 2, 3, 4, 5)] == ["ok", "ok", "ok", "dns", None]
    assert done.files == {"pages.jsonl": 30, "failures.jsonl": 5}
    assert done.totals == {"ok": 3, "dns": 1}


def test_cut_anywhere_in_the_last_line_the_commits_before_it_stand(path):
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        assert read(path)[1] == [FIRST]
        assert path.read_bytes() == whole[:start], "the damaged end is cut off"


@pytest.mark.parametrize("at", [0, 7, 9, 40, -2])
def test_one_flipped_byte_in_the_last_line_drops_it(path, at):
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    line = bytearray(whole[start:])
    line[at] ^= 0x10
    path.write_bytes(whole[:start] + line)
    assert read(path)[1] == [FIRST]


def test_commit_after_recovery_follows_the_last_valid_one(path):
    path.write_bytes(path.read_bytes()[:-3])
    with Journal(path) as journal:
        assert list(journal.commits()) == [FIRST]
        journal.append(encode_line(SECOND))
    assert read(path)[1] == [FIRST, SECOND]


def test_starting_over_forgets_everything(path):
    with Journal(path) as journal:
        journal.start(HEADER)
    assert read(path) == (HEADER, [])


def test_second_owner_is_refused(path):
    with Journal(path), pytest.raises(SinkError, match="another run is writing here"), Journal(path):
        pass


def test_refused_second_owner_is_told_the_process_of_the_first(path):
    with Journal(path) as journal:
        list(journal.commits())
        journal.append(encode_line(Session(os.getpid(), "2026-01-02T00:00:00Z")))
        with pytest.raises(SinkError, match=rf"another run is writing here \(process {os.getpid()}\)"), Journal(path):
            pass
    assert [type(record) for record in read_records(path)] == [Commit, Commit, Session]
    assert read(path)[1] == [FIRST, SECOND], "a session is no commit"


def test_commit_kept_elsewhere_is_the_same_or_refused():
    line = encode_line(SECOND)
    assert decode_commit(line) == SECOND
    for damaged in (line[:-1], line.replace(b"30", b"31"), encode_line(Session(1, ""))):
        with pytest.raises(SinkError, match="damaged"):
            decode_commit(damaged)


def test_later_outcome_of_a_url_replaces_the_earlier_one(path):
    again = Commit(3, {}, {}, again={"ok": pack_keys([4]), "dns": pack_keys([1])})
    done = done_of([FIRST, SECOND, again])
    assert [done.outcome(key) for key in (1, 2, 4)] == ["dns", "ok", "ok"]
    assert done.totals == {"ok": 3, "dns": 1}
    assert done.stale == {4: "ok", 1: "dns"}
    done.add(Commit(4, {"pages.jsonl": 20}, {}, gone=["failures.jsonl"], swapped=["pages.jsonl"], compacted=True))
    assert (done.stale, done.unswapped, done.files) == ({}, ("pages.jsonl",), {"pages.jsonl": 20})


def test_newer_format_is_refused(path):
    path.write_bytes(encode_line(JournalHeader(FORMAT_VERSION + 1, {}, "")))
    with pytest.raises(SinkError, match=f"format {FORMAT_VERSION + 1}"), Journal(path):
        pass


def test_file_that_is_no_journal_is_refused(tmp_path):
    (tmp_path / "journal").write_text("my diary\n")
    with pytest.raises(SinkError, match="not a journal"), Journal(tmp_path / "journal"):
        pass


def test_failed_append_leaves_no_half_line(path, monkeypatch):
    def full_disk(file):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    with Journal(path) as journal:
        list(journal.commits())
        monkeypatch.setattr(disk, "sync", full_disk)
        with pytest.raises(OSError, match="No space"):
            journal.append(encode_line(SECOND))
        monkeypatch.undo()
    assert path.read_bytes() == before


def test_keys_cost_eleven_bytes_each():
    keys = list(range(0, 3_000_000_000, 1_000_000))
    assert unpack_keys(pack_keys(keys)).tolist() == keys
    assert len(msgspec.json.encode(Commit(1, {}, {"ok": pack_keys(keys)}))) / len(keys) < 11


def test_shape_changes_name_the_key():
    before = {"format": "csv", "fields": {"a": {"css": "h1"}, "b": {"css": "p"}}}
    now = {"format": "csv", "fields": {"a": {"css": "h2"}, "c": {"css": "p"}}}
    assert shape_changes(before, now) == ["fields.a.css was h1 and is h2", "fields.b was removed", "fields.c was added"]
    assert shape_changes(before, before) == []
