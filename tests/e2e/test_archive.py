"""An archive of a run, read again: the same rows, and nobody is asked."""

import csv

CARRIED = "id,url,note\n"


def test_rows_of_an_archive_are_those_of_the_run_that_wrote_it(cli, site):
    text = CARRIED + "".join(f"{number},{url},n{number}\n" for number, url in enumerate(site.urls[:40]))
    (cli.folder / "list.csv").write_text(text)
    once = ("--no-progress", "--set", "fields.title=h1")
    assert cli("run", "list.csv", *once, "--set", 'write.format=["jsonl", "warc"]').code == 0
    archive = "output/pages.warc.gz"
    again = cli("run", archive, "-o", "again", *once, "--set", "network.private_addresses=deny")
    assert again.code == 0, again.err
    assert "input 40 = 40 ok" in again.err

    def ordered(rows):
        return sorted(rows, key=lambda row: int(row["id"]))

    assert ordered(cli.rows("again")) == ordered(cli.rows())
    other = cli("run", archive, "-o", "other", "--no-progress", "--set", "write.format=csv", "--set", "fields.n=title")
    assert other.code == 0, other.err
    with (cli.folder / "other" / "pages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40
    assert all(row["n"] for row in rows)
    assert {row["note"] for row in rows} == {f"n{number}" for number in range(40)}


def test_archive_is_not_written_into_the_folder_it_is_read_from(cli, site):
    (cli.folder / "list.txt").write_text(site.urls[0])
    assert cli("run", "list.txt", "--set", "write.format=warc").code == 0
    result = cli("run", "output/pages.warc.gz", "--set", "write.format=warc")
    assert (result.code, "would write to" in result.err) == (2, True)


def test_page_that_gives_no_row_is_archived_and_can_be_parsed_with_other_rules(cli, site):
    (cli.folder / "list.txt").write_text("\n".join(site.urls[:3]))
    needs = ("--set", 'fields.x={ css = ".nowhere", required = true }')
    assert cli("run", "list.txt", "--set", "write.format=warc", *needs).code == 0
    assert [line["error"] for line in cli.failures()] == ["required_field"] * 3
    result = cli("run", "output/pages.warc.gz", "-o", "again", "--no-progress", "--set", "fields.x=h1")
    assert "input 3 = 3 ok" in result.err
