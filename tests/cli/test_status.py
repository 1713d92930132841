"""`scraper status`: lines for a pipe, a picture for a terminal, JSON for programs."""

import json

import pytest

from scraper import cli
from scraper.journal import Commit, Position, pack_keys
from tests.runs import failure, make_run, page_row, session, write_journal

FAILED = [failure(f"http://a.example/{n}", "timeout", "no whole answer within 30 s") for n in range(3)]


def status(capfd, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["status", *arguments])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


def test_lines_tell_what_is_done_failing_and_where_the_rows_are(capfd, tmp_path):
    summary = {"finished": True, "unfinished": 0}
    make_run(tmp_path, [page_row("http://a.example/")], failures=FAILED, summary=summary)
    code, out, err = status(capfd, str(tmp_path))
    lines = [line.strip() for line in out.splitlines()]
    assert (code, err, "\x1b" in out) == (0, "", False)
    assert "done      4 = 1 ok + 3 failed" in lines
    assert "failed    3 timeout" in lines
    assert "3: no whole answer within 30 s" in lines
    assert "at a.example (3)" in lines
    assert "try later, or raise fetch.timeout; again: scraper run ... --retry-failed=timeout" in lines
    assert "waiting   nothing that was read" in lines
    assert any(line.startswith(f"rows      {tmp_path}/pages.jsonl: 1 row, ") for line in lines)


def test_run_that_was_killed_tells_what_waits_and_for_what(capfd, tmp_path):
    at = Position(read=100, queued=40, in_flight=8, parsing=2)
    write_journal(tmp_path, session(), Commit(1, {}, {"ok": pack_keys(range(50))}, at=at))
    (tmp_path / "pages.jsonl").touch()
    out = status(capfd, str(tmp_path))[1]
    assert "the same command resumes" in out
    assert "waiting   50 of 100 records read" in out
    assert "at the last commit: 40 for their turn, 8 in flight, 2 being parsed" in out


def test_json_tells_the_same(capfd, tmp_path):
    make_run(tmp_path, [page_row("http://a.example/")], failures=FAILED)
    found = json.loads(status(capfd, str(tmp_path), "--json")[1])
    assert (found["state"], found["done"], found["outcomes"]) == ("killed", 4, {"timeout": 3, "ok": 1})
    assert found["failures"][0] == {
        "error": "timeout",
        "count": 3,
        "messages": [{"message": "no whole answer within 30 s", "count": 3}],
        "hosts": [{"host": "a.example", "count": 3}],
        "advice": "try later, or raise fetch.timeout",
        "option": "--retry-failed=timeout",
    }
    assert found["stores"][0]["bytes"] == (tmp_path / "pages.jsonl").stat().st_size


def test_folder_without_a_run_ends_with_2_and_one_line(capfd, tmp_path):
    code, out, err = status(capfd, str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_picture_on_a_terminal_says_the_same(tmp_path):
    from scraper.cli.status import _picture
    from scraper.status import status_of

    make_run(tmp_path, [page_row("http://a.example/")], failures=FAILED)
    shown = " ".join(_picture(status_of(tmp_path)).split())
    assert "4 = 1 ok + 3 failed" in shown
    assert "--retry-failed=timeout" in shown
