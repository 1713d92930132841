"""`scraper export`: one line about what was done, exit codes."""

import csv
import os

import pytest

from scraper import cli
from tests.runs import make_run, page_row


def export(capfd, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["export", *arguments])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


def test_file_is_named_with_its_rows(capfd, tmp_path):
    make_run(tmp_path / "run", [page_row("http://a/", title="x"), page_row("http://b/", title="y")])
    target = tmp_path / "some.csv"
    code, out, err = export(capfd, str(tmp_path / "run"), "--to", "csv", "-o", str(target))
    assert (code, out) == (0, "")
    assert err == f"wrote {target}: 2 rows of {tmp_path}/run/pages.jsonl\n"
    with target.open(newline="") as file:
        assert [row["title"] for row in csv.DictReader(file)] == ["x", "y"]


def test_what_is_no_file_is_not_replaced_and_a_link_stays_one(capfd, tmp_path):
    make_run(tmp_path / "run", [page_row("http://a/", title="x")])
    os.mkfifo(tmp_path / "pipe")
    code, _, err = export(capfd, str(tmp_path / "run"), "--to", "csv", "--force", "-o", str(tmp_path / "pipe"))
    assert (code, "is no file" in err, (tmp_path / "pipe").is_fifo()) == (2, True, True)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert export(capfd, str(tmp_path / "run"), "--to", "csv", "--force", "-o", str(tmp_path / "link.csv"))[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().count("http://a/") == 2


@pytest.mark.parametrize("arguments", [["--to", "excel"], ["--to", "csv", "-o", "."], ["--to", "csv", "-o", "-"], []])
def test_export_that_cannot_be_ends_with_2(capfd, tmp_path, arguments):
    make_run(tmp_path, [page_row("http://a/")])
    code, out, err = export(capfd, str(tmp_path), *arguments)
    assert (code, out) == (2, "")
    assert err
