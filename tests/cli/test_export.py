"""`scraper export`: one line about what was done, exit codes."""

import csv

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


@pytest.mark.parametrize("arguments", [["--to", "excel"], ["--to", "csv", "-o", "."], []])
def test_export_that_cannot_be_ends_with_2(capfd, tmp_path, arguments):
    make_run(tmp_path, [page_row("http://a/")])
    code, out, err = export(capfd, str(tmp_path), *arguments)
    assert (code, out) == (2, "")
    assert err
