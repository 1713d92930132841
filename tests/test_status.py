"""The state of a run, told from what it left: running, finished, interrupted, killed; what failed and what waits."""

import os
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from scraper.errors import SinkError
from scraper.journal import LOOK_S, Commit, Journal, JournalHeader, Position, encode_line, is_held, pack_keys
from scraper.reasons import ADVICE
from scraper.records import FailureKind
from scraper.status import status_of
from tests.runs import failure, make_run, number_of, page_row, session, write_journal

FAILED = [
    failure("http://a.example/1", "http_status", "HTTP 404 Not Found: no such page", 404),
    failure("http://a.example/2", "http_status", "HTTP 404 Not Found: gone for good", 404),
    failure("http://b.example/", "dns", "no address"),
    failure("no url", "invalid_url", "not a URL"),
]
ROWS = [page_row("http://a.example/ok")]
LATER = "2026-11-22T15:00:00Z"
SUMMARY = {"finished": True, "limited": False, "unfinished": 0}
AT = Position(read=50, queued=7, in_flight=2, parsing=1)


def write_summary(folder: Path, summary: dict[str, Any], *, at: float) -> None:
    path = folder / "summary.json"
    path.write_bytes(msgspec.json.encode(summary))
    os.utime(path, (at, at))


def seconds(hour: int) -> float:
    """On the day of the journals here."""
    return 1_795_305_600.0 + hour * 3600


def test_finished_run_tells_outcomes_reasons_and_stores(tmp_path):
    make_run(tmp_path, ROWS, failures=FAILED, summary=SUMMARY)
    found = status_of(tmp_path)
    assert (found.state, found.pid, found.sessions, found.unfinished) == ("finished", None, 1, 0)
    assert found.outcomes == {"http_status": 2, "ok": 1, "dns": 1, "invalid_url": 1}
    assert found.done == 5
    assert found.reasons["http_status"].messages.top(3) == [("HTTP 404 Not Found", 2)]
    assert found.reasons["http_status"].hosts.top(3) == [("a.example", 2)]
    assert found.reasons["invalid_url"].hosts.top(3) == []
    (store,) = found.stores
    size = (tmp_path / "pages.jsonl").stat().st_size
    assert (store.format, store.rows, store.bytes, store.problem) == ("jsonl", 1, size, None)


def test_run_that_is_writing_is_told_by_its_lock_and_not_disturbed(tmp_path):
    make_run(tmp_path, ROWS)
    with Journal(tmp_path / "journal") as journal:
        found = status_of(tmp_path)
        assert (found.state, found.pid) == ("running", os.getpid())
        assert list(journal.commits())
    assert is_held(tmp_path / "journal") is False


def test_run_that_begins_while_somebody_looks_is_not_refused(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    make_run(tmp_path, ROWS)
    looked: list[float] = []
    with (tmp_path / "journal").open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)

        def goes_away(seconds: float) -> None:
            looked.append(seconds)
            fcntl.flock(looking, fcntl.LOCK_UN)

        monkeypatch.setattr("scraper.journal.time.sleep", goes_away)
        with Journal(tmp_path / "journal"):
            assert looked == [LOOK_S]


@pytest.mark.parametrize(
    ("records", "summary", "told_at", "state", "unfinished"),
    [
        ([session(), Commit(1, {}, {}, at=AT)], None, 0, "killed", 10),
        ([session(), Commit(1, {}, {}, at=AT)], SUMMARY, 15, "finished", 0),
        ([session(), Commit(1, {}, {}, at=AT)], {**SUMMARY, "limited": True}, 15, "limited", 0),
        ([session(), Commit(1, {}, {}, at=AT)], {"finished": False, "unfinished": 4}, 15, "interrupted", 4),
        ([session(), Commit(1, {}, {}), session(8, LATER), Commit(2, {}, {}, at=AT)], SUMMARY, 14, "killed", 10),
        ([session(), Commit(1, {}, {}), session(8, LATER)], SUMMARY, 14, "finished", 0),
        ([session()], None, 0, "killed", 0),
    ],
    ids=["no-summary", "finished", "limited", "interrupted", "killed-later", "nothing-to-do-later", "at-once"],
)
def test_state_follows_from_the_last_session_and_its_summary(tmp_path, records, summary, told_at, state, unfinished):
    write_journal(tmp_path, *records)
    if summary:
        write_summary(tmp_path, summary, at=seconds(told_at))
    found = status_of(tmp_path)
    assert (found.state, found.unfinished) == (state, unfinished)


def test_url_that_was_tried_again_counts_with_its_last_outcome_only(tmp_path):
    make_run(tmp_path, ROWS, failures=FAILED)
    with (tmp_path / "journal").open("ab") as journal:
        again = {"ok": pack_keys([number_of("http://b.example/")])}
        journal.write(encode_line(Commit(9, {}, {}, again=again)))
    found = status_of(tmp_path)
    assert found.outcomes == {"ok": 2, "http_status": 2, "invalid_url": 1}
    assert "dns" not in found.reasons


def test_failures_behind_the_last_commit_are_not_counted(tmp_path):
    make_run(tmp_path, ROWS, failures=FAILED[2:3])
    with (tmp_path / "failures.jsonl").open("ab") as file:
        file.write((tmp_path / "failures.jsonl").read_bytes() + b'{"url":"half')
    assert status_of(tmp_path).reasons["dns"].messages.top(1) == [("no address", 1)]


@pytest.mark.parametrize("format", ["jsonl", "sqlite"])
def test_output_that_is_gone_is_told(tmp_path, format):
    make_run(tmp_path, ROWS, f"write.format={format}")
    (tmp_path / f"pages.{format}").unlink()
    (store,) = status_of(tmp_path).stores
    assert "No such file" in str(store.problem)


def test_output_that_was_cut_is_told(tmp_path):
    make_run(tmp_path, ROWS)
    (tmp_path / "pages.jsonl").write_bytes(b"{}")
    (store,) = status_of(tmp_path).stores
    assert "has 2 bytes" in str(store.problem)


def test_several_stores_are_told_apart(tmp_path):
    make_run(tmp_path, ROWS, "write.format=['csv','sqlite','jsonl.gz']")
    stores = status_of(tmp_path).stores
    assert [(store.format, store.rows) for store in stores] == [("csv", 1), ("sqlite", 1), ("jsonl.gz", 1)]
    assert [store.bytes for store in stores] == [Path(store.path).stat().st_size for store in stores]


def test_path_that_names_a_variable_which_is_not_set_is_told_and_the_rest_too(tmp_path):
    write_journal(tmp_path, session(), shape={"path": ["$NOT_SET/x.jsonl"]})
    found = status_of(tmp_path)
    assert "NOT_SET" in str(found.stores[0].problem)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no run has written here"),
        (b"", "no run has written here"),
        (b"my own notes\n", "not a journal of this program"),
        (encode_line(JournalHeader(99, {}, LATER)), "journal format 99"),
        (b"0" + encode_line(JournalHeader(2, {}, LATER))[1:].replace(b"2026", b"2027"), "damaged"),
    ],
    ids=["missing", "empty", "foreign", "newer", "damaged"],
)
def test_folder_without_a_readable_journal_is_one_line(tmp_path, content, words):
    if content is not None:
        (tmp_path / "journal").write_bytes(content)
    with pytest.raises(SinkError, match=words) as caught:
        status_of(tmp_path)
    assert "\n" not in str(caught.value)


def test_every_kind_of_failure_has_advice():
    assert set(ADVICE) == set(get_args(FailureKind)) - {"cancelled"}  # which no code gives
