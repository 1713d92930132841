"""CSV output: its columns are fixed at the start, and nothing of the input is lost for that."""

import csv
import json

import pytest

CSV = ("--set", "write.format=csv", "--set", "fields.name=h1")


def read_rows(cli) -> list[dict[str, str]]:
    with (cli.folder / "output" / "pages.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def csv_list(cli, site):
    """A list of four pages with two other columns."""
    text = "".join(f"{number},{url},n{number}\n" for number, url in enumerate(site.urls[:4]))
    (cli.folder / "list.csv").write_text(f"id,url,note\n{text}")
    return "list.csv"


def test_keys_that_come_late_are_kept_when_the_form_is_told_by_an_option(cli, site):
    lines = [{"url": site.urls[0], "id": 1}, {"url": site.urls[1], "late": "yes"}]
    (cli.folder / "list.txt").write_text("\n".join(map(json.dumps, lines)))
    assert cli("run", "list.txt", "--source-format", "jsonl", *CSV).code == 0
    rows = {row["url"]: row for row in read_rows(cli)}
    assert rows[site.urls[0]]["id"] == "1"
    assert json.loads(rows[site.urls[1]]["other"]) == {"late": "yes"}


def test_columns_of_a_piped_list_are_those_of_its_header(cli, csv_list):
    text = (cli.folder / csv_list).read_bytes()
    assert cli("run", "-", "--source-format", "csv", *CSV, input=text).code == 0
    assert {(row["id"], row["note"]) for row in read_rows(cli)} == {(f"{n}", f"n{n}") for n in range(4)}


@pytest.mark.parametrize("order", ["file first", "pipe first"])
def test_same_list_by_another_way_resumes(cli, csv_list, order):
    text = (cli.folder / csv_list).read_bytes()
    by_file, by_pipe = ("run", csv_list, *CSV), ("run", "-", "--source-format", "csv", *CSV)
    first, second = (by_file, by_pipe) if order == "file first" else (by_pipe, by_file)
    assert cli(*first, "--limit", "2", input=text).code == 0
    result = cli(*second, input=text)
    assert result.code == 0, result.err
    assert sorted(row["note"] for row in read_rows(cli)) == ["n0", "n1", "n2", "n3"]


def test_new_column_without_a_place_is_refused(cli, csv_list, site):
    assert cli("run", csv_list, *CSV).code == 0
    (cli.folder / csv_list).write_text(f"id,url,note,price\n9,{site.urls[9]},n9,3\n")
    result = cli("run", csv_list, *CSV)
    assert result.code == 2
    assert "columns.price was added" in result.err
