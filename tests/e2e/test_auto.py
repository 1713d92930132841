"""fetch.concurrency and parse.processes set to "auto", in whole runs: as quick as a good fixed number, and told why."""

import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from scraper import machine
from scraper.auto import START
from scraper.cli.live import scrape_with_progress
from scraper.config import load_config
from scraper.parse import pool
from scraper.session import Outcome, Request
from scraper.site.options import SiteOptions
from scraper.site.pagemap import PageMap
from scraper.site.server import running_site
from tests.conftest import Cli, Site

PAGES = 12_000
SECONDS = 4.0


@pytest.fixture(scope="module")
def far_list(tmp_path_factory: pytest.TempPathFactory):
    """A list of more pages than are done in four seconds, 100 ms each."""
    with running_site(SiteOptions(pages=PAGES, latency_s=0.1)) as site:
        file = tmp_path_factory.mktemp("far") / "urls.txt"
        file.write_text("".join(f"{site.url}{path}\n" for path in PageMap(PAGES).detail_paths))
        yield file


def found(cli: Cli, listed: Path) -> int:
    """The number of requests that a run has found when it is stopped after four seconds."""
    settings = "fetch.concurrency=auto", "fields={ title = 'h1' }", "run.model=hybrid"
    words = (word for text in settings for word in ("--set", text))
    with cli.start("run", str(listed), "--fresh", "--no-progress", *words) as process:
        with suppress(TimeoutExpired):
            process.wait(SECONDS)
        process.terminate()
        told = process.communicate(timeout=30)[1].decode()
    assert process.returncode in (0, 3), told
    note = re.search(r"^scraper: fetch\.concurrency auto: (\d+) ", told, re.M)
    assert note is not None, told
    return int(note[1])


def test_server_that_is_far_away_is_asked_for_much_more_at_once_within_seconds(cli: Cli, far_list: Path) -> None:
    """What it comes to is for tests/test_auto.py, on a clock of its own: a machine that others use is full early."""
    tried = []
    for _ in range(3):
        tried.append(found(cli, far_list))
        if tried[-1] >= 3 * START:
            return
    pytest.fail(f"requests at once after {SECONDS} s: {tried}")


def test_both_are_told_with_their_reason(cli: Cli, site: Site) -> None:
    result = cli(
        "run",
        cli.write_list(site.urls),
        "--no-progress",
        "--set",
        "fetch.concurrency=auto",
        "--set",
        "run.model=hybrid",
    )
    assert re.search(
        r"^scraper: parse\.processes auto: \d+ \(\d+ cores? by affinity, .*; busy \d+ %\)$", result.err, re.M
    )
    assert re.search(r"^scraper: fetch\.concurrency auto: \d+ \(.+\)$", result.err, re.M)
    again = cli("run", "urls.txt", "--no-progress", "--set", "fetch.concurrency=auto", "--set", "run.model=hybrid")
    assert "auto" not in again.err  # nothing to do, nothing to tell
    assert cli("run", "urls.txt", "--fresh", "-q", "--set", "fetch.concurrency=auto").err == ""


@pytest.mark.parametrize("model", ["asyncio", "asyncio-threads", "threads", "processes", "sharded"])
def test_every_model_takes_auto(cli: Cli, site: Site, model: str) -> None:
    listed = cli.write_list(site.urls[:60])
    settings = [f"run.model={model}", "fetch.concurrency=auto", "parse.processes=2"]
    result = cli("run", listed, "--no-progress", *(word for text in settings for word in ("--set", text)))
    assert len(cli.rows()) == 60
    assert ("fetch.concurrency auto: " in result.err) == (model != "processes")


def test_check_tells_what_auto_is_at_the_start(cli: Cli) -> None:
    result = cli("check", "--set", "fetch.concurrency=auto")
    assert "scraper: fetch.concurrency auto: 16 (at the start; " in result.err
    assert "scraper: parse.processes auto: " in result.err
    assert 'concurrency = "auto"' in result.out


HEAVY_PAGES = "parse.function=heavy_of_this_test:slow"
HEAVY = """
import time

def slow(page, tree):
    time.sleep(0.03)
    return {}
"""


def scraped(site: Site, folder: Path, *settings: str, pages: int = 300) -> tuple[Outcome, Counter[str]]:
    """A run in this process, and which notes it gave."""
    (folder / "urls.txt").write_text("".join(f"{url}\n" for url in site.urls[:pages]))
    config = load_config(None, settings)
    outcome = scrape_with_progress(config, Request([str(folder / "urls.txt")], folder / "out"), progress=False)
    return outcome, Counter(note.split(" (")[0] for note in outcome.notes)


@pytest.fixture
def six_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were six and nobody knew how idle; and a function that takes 30 ms for a page."""
    (tmp_path / "heavy_of_this_test.py").write_text(HEAVY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("scraper.config.machine.cores", lambda: 6)
    monkeypatch.setattr(machine, "idle_s", lambda: None)
    monkeypatch.setattr(pool, "WATCH_EVERY_S", 0.05)


@pytest.mark.usefixtures("six_cores")
def test_pages_that_wait_get_more_workers(site: Site, tmp_path: Path) -> None:
    outcome, notes = scraped(site, tmp_path, HEAVY_PAGES, "parse.batch_bytes=8KiB")
    assert outcome.summary.ok == len(site.urls)
    assert notes == {"parse.processes auto: 6": 1}


@pytest.mark.usefixtures("six_cores")
def test_workers_that_the_system_refuses_are_done_without(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, start = [], pool.spawn_connected

    def spawn_three():
        started.append(len(started))
        if len(started) > 3:
            raise OSError(11, "Resource temporarily unavailable")
        return start()

    monkeypatch.setattr(pool, "spawn_connected", spawn_three)
    outcome, notes = scraped(site, tmp_path, HEAVY_PAGES, "parse.batch_bytes=8KiB", pages=120)
    assert outcome.summary.ok == 120
    assert notes == {"parse.processes auto: 3": 1}
    assert len(started) == 4  # asked once, and no more


@pytest.mark.usefixtures("six_cores")
def test_light_pages_keep_the_first_workers(site: Site, tmp_path: Path) -> None:
    _, notes = scraped(site, tmp_path, "fetch.concurrency=8")
    assert notes == {"parse.processes auto: 2": 1}
