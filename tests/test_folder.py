"""The output folder: what a run may remove, what it refuses, and that a refusal leaves nothing behind."""

import os
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from scraper import disk
from scraper.errors import SinkError, WriteError
from scraper.folder import FAILURES, JOURNAL, OWN, OutputFolder, made_by, refuse_own_files
from scraper.journal import FORMAT_VERSION, JournalHeader, encode_line
from scraper.places import places
from scraper.records import Column
from scraper.resume import MADE_BY
from scraper.rowform import RowForm
from scraper.stores import StoreOptions
from scraper.write.bodies import body_name

FORM = RowForm(("jsonl",), {"format": "jsonl", "fields": {"a": 1}})


def opened(path: Path, form: RowForm = FORM, *, fresh: bool = False) -> AbstractContextManager[OutputFolder]:
    nowhere = ("",) * len(form.formats)
    where = places(path, form.formats, nowhere, nowhere)
    return OutputFolder(path, form, where, StoreOptions(path, (), "pages", 1 << 20), fresh=fresh)


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(map(Column, names))


def begin(path: Path, form: RowForm = FORM, *, fresh: bool = False) -> OutputFolder:
    with opened(path, form, fresh=fresh) as folder:
        return folder


def test_fresh_removes_what_a_run_wrote_and_nothing_else(tmp_path):
    bodies = tmp_path / "bodies"
    bodies.mkdir()
    kept = ["pages.txt", "pages.jsonl.bak", "bodies/mine.html", "bodies/mine.part", "summary.txt"]
    gone = ["pages.csv", "summary.json", body_name("ab" * 32), f"bodies/{'0' * 32}.part"]
    for name in (*kept, *gone, "pages.jsonl", FAILURES):
        (tmp_path / name).write_text("text\n")
    begin(tmp_path, fresh=True)
    assert [name for name in kept if not (tmp_path / name).exists()] == []
    assert [name for name in gone if (tmp_path / name).exists()] == []
    assert ((tmp_path / "pages.jsonl").read_bytes(), (tmp_path / FAILURES).read_bytes()) == (b"", b"")


@pytest.mark.parametrize("name", ["pages.jsonl", "pages.csv", FAILURES])
def test_rows_and_failures_without_a_journal_are_left_alone(tmp_path, name):
    (tmp_path / name).write_text("somebody's\n")
    with pytest.raises(SinkError, match="holds rows but no journal"):
        begin(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "somebody's\n"}


def test_folder_that_cannot_be_written_keeps_no_journal_of_ours(tmp_path):
    (tmp_path / FAILURES).mkdir()
    with pytest.raises(SinkError, match="cannot be written"):
        begin(tmp_path)
    assert not (tmp_path / JOURNAL).exists()


def test_refusal_keeps_the_journal_of_an_earlier_run(tmp_path):
    begin(tmp_path)
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(SinkError, match=r"fields\.a was 1 and is 2"):
        begin(tmp_path, RowForm(("jsonl",), {"format": "jsonl", "fields": {"a": 2}}))
    assert (tmp_path / JOURNAL).read_bytes() == before


def header(version: int = FORMAT_VERSION) -> bytes:
    return encode_line(JournalHeader(version, {"format": "jsonl"}, "2026-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(header(FORMAT_VERSION + 1), f"format {FORMAT_VERSION + 1}", id="newer"),
        pytest.param(header().replace(b"jsonl", b"jsonx"), "damaged", id="damaged"),
    ],
)
def test_journal_that_cannot_be_read_says_fresh_and_fresh_works(tmp_path, content, words):
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(SinkError, match=f"{words}.*--fresh"):
        begin(tmp_path)
    assert (tmp_path / JOURNAL).read_bytes() == content
    begin(tmp_path, fresh=True)
    begin(tmp_path)


@pytest.mark.parametrize("length", [1, 8, 9, 15, 19, 25, -9, -1])
def test_journal_whose_first_line_was_cut_was_never_begun(tmp_path, length):
    (tmp_path / JOURNAL).write_bytes(header()[:length])
    begin(tmp_path)
    begin(tmp_path)
    assert (tmp_path / JOURNAL).read_bytes().count(b"session") == 2


@pytest.mark.parametrize("fresh", [True, False])
def test_file_that_is_no_journal_is_never_overwritten_nor_is_that_advised(tmp_path, fresh):
    (tmp_path / JOURNAL).write_text("Dear journal, today\n")
    with pytest.raises(SinkError, match="not a journal of this program") as caught:
        begin(tmp_path, fresh=fresh)
    assert "--fresh" not in str(caught.value)
    assert (tmp_path / JOURNAL).read_text() == "Dear journal, today\n"


@pytest.mark.parametrize("name", OWN)
def test_source_that_the_run_would_write_to_is_refused_by_every_name(tmp_path, name):
    (tmp_path / name).write_text("http://a.example/\n")
    os.symlink(tmp_path / name, tmp_path / "link")
    os.link(tmp_path / name, tmp_path / "twin")
    for source in (tmp_path / name, tmp_path / "." / name, tmp_path / "link", tmp_path / "twin"):
        with pytest.raises(SinkError, match="would write to"):
            refuse_own_files(["http://a.example/", str(source)], tmp_path)


def test_other_sources_may_lie_in_the_output_folder(tmp_path):
    for name in ("pages.txt", FAILURES):
        (tmp_path / name).write_text("http://a.example/\n")
    refuse_own_files(["-", "http://a.example/pages.jsonl", str(tmp_path / "pages.txt"), "none.txt"], tmp_path)
    refuse_own_files([str(tmp_path / FAILURES)], tmp_path / "another")


def test_rows_of_the_demo_and_of_a_run_do_not_mix(tmp_path):
    assert made_by(tmp_path) is None
    begin(tmp_path, RowForm(("jsonl",), FORM.settings | {MADE_BY: "scraper demo"}))
    assert made_by(tmp_path) == "scraper demo"
    with pytest.raises(SinkError, match="holds the rows of scraper demo"):
        begin(tmp_path)


@pytest.mark.parametrize(
    ("before", "now", "kept"),
    [
        pytest.param(("url", "id", "a"), ("url", "a", "other"), ("url", "id", "a"), id="list unknown this time"),
        pytest.param(("url", "id", "a"), ("url", "a"), ("url", "id", "a"), id="column gone"),
        pytest.param(("url", "a", "other"), ("url", "id", "a"), ("url", "a", "other"), id="room for it"),
        pytest.param(("url", "a"), ("url", "id", "a"), None, id="no room for it"),
    ],
)
def test_resumed_csv_keeps_its_columns_where_they_hold_the_list(tmp_path, before, now, kept):
    begin(tmp_path, RowForm(("csv",), {"format": ["csv"]}, columns(*before)))
    with ExitStack() as stack:
        if kept is None:
            stack.enter_context(pytest.raises(SinkError, match=r"columns\.id was added"))
        found = begin(tmp_path, RowForm(("csv",), {"format": ["csv"]}, columns(*now))).form.columns
        assert found == columns(*kept or ())


def test_summary_that_cannot_be_written_is_told_and_leaves_no_part(tmp_path, monkeypatch):
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with opened(tmp_path) as folder:
        monkeypatch.setattr(disk, "replace", full_disk)
        with pytest.raises(WriteError, match=r"summary\.json: cannot be written: No space left"):
            folder.write_summary({})
    assert not list(tmp_path.glob("summary*"))
