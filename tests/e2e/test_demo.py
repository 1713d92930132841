"""`scraper demo` end to end, small; and the folders it keeps away from."""

import os
import signal
import time


def test_demo_shows_rows_and_the_balance_and_can_be_repeated(cli):
    for pages in ("20", "12"):
        result = cli("demo", "--pages", pages, "-o", "out")
        assert result.code == 0
        assert "the first rows" in result.out
        assert "title" in result.out
        assert f"input {pages} = " in result.err
        assert len(cli.rows("out")) + len(cli.failures("out")) == int(pages)
    assert sorted(path.name for path in (cli.folder / "out").iterdir()) == [
        "demo-urls.txt", "failures.jsonl", "journal", "pages.jsonl", "summary.json",
        "telemetry.json",
    ]  # fmt: skip


def test_demo_with_csv_shows_its_rows(cli):
    (cli.folder / "csv.toml").write_text('[write]\nformat = "csv"\n[fields]\nheading = "h1"\n')
    result = cli("demo", "--pages", "4", "-c", "csv.toml", "-o", "out")
    assert result.code == 0
    assert "heading" in result.out


def test_demo_keeps_away_from_folders_that_are_not_its_own(cli, site):
    (cli.folder / "mine").mkdir()
    (cli.folder / "mine" / "notes.txt").write_text("mine")
    assert cli("run", site.urls[0], "-o", "run").code == 0
    rows = cli.rows("run")
    for folder in ("mine", "run"):
        result = cli("demo", "--pages", "4", "-o", folder)
        assert result.code == 2
        assert "holds something else than an earlier demo" in result.err
    assert cli.rows("run") == rows
    assert [path.name for path in (cli.folder / "mine").iterdir()] == ["notes.txt"]


def test_interrupted_demo_ends_with_3(cli):
    with cli.start("demo", "--pages", "20000", "-o", "out") as process:
        deadline = time.monotonic() + 20
        while not (cli.folder / "out" / "journal").exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGINT)
        err = process.communicate(timeout=30)[1]
    assert process.returncode == 3
    assert b"Traceback" not in err
