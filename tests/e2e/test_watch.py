"""A run that is looked at while it works: status and export see what is committed, and disturb nothing."""

import json
import os
import time

import pytest

from scraper.site.options import SiteOptions
from scraper.site.server import running_site

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a run is known by its lock, which Windows lacks")

SETTINGS = ("--set", "write.commit_every=20ms", "--set", "fetch.concurrency=8", "--no-progress")


def test_run_is_shown_and_exported_while_it_writes(cli):
    with running_site(SiteOptions(pages=400, latency_s=0.2)) as site:
        source = cli.write_list([f"{site.url}/shop/item/{number}" for number in range(1, 101)])
        with cli.start("run", source, *SETTINGS) as process:
            rows, deadline = cli.folder / "output" / "pages.jsonl", time.monotonic() + 20
            while not (rows.exists() and rows.stat().st_size):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            found = json.loads(cli("status", "--json").out)
            exported = cli("export", "output", "--to", "csv", "-o", "now.csv")
            assert process.wait(40) == 0
            process.communicate()
    assert (found["state"], found["pid"]) == ("running", process.pid)
    assert 0 < found["done"] < 100
    assert found["unfinished"] > 0
    assert exported.code == 0
    assert 1 < len((cli.folder / "now.csv").read_bytes().splitlines()) <= 101
    assert (cli.summary()["finished"], len(cli.rows())) == (True, 100)
    assert "finished: every record has its outcome" in cli("status", "output").out
