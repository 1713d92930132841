"""The models compared: in turn, on the same pages, with a look at whether they bring the same."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from scraper import loop
from scraper.cli import main
from scraper.config import Config, load_config
from scraper.errors import ConfigError, ScraperError, UsageError
from scraper.measure.compare import rounds as comparing
from scraper.measure.compare.page import page_of
from scraper.measure.compare.rounds import MODELS, Comparison, Plan, Step, compare, possible_models, refuse_remote
from scraper.measure.compare.rows import Brought, brought_by, difference_at
from scraper.measure.compare.shown import as_json, equality, headline, table_of
from scraper.measure.pages import Pages
from scraper.measure.replay.recording import VERSION, About, Asked, Tape, digest_of
from scraper.measure.tree import tree_of
from scraper.measure.trial import Trial
from scraper.session import Request, run_session
from scraper.site.options import SiteOptions
from tests.conftest import Cli, Site, start_site
from tests.measure.test_replay import needs_loopback
from tests.measure.test_trial import is_alive, linux, wait_until
from tests.measure.trials import trial

# -- turns and findings -----------------------------------------------------------------------------------------------


class Bench:
    """In place of real runs: each model has a speed, some break, and what they bring is told."""

    def __init__(self, speeds: dict[str, float], broken: dict[str, int] | None = None) -> None:
        self.speeds = speeds
        self.broken = broken or {}
        self.ran: list[str] = []
        self.settings: list[dict[str, Any]] = []
        self.rows: dict[str, dict[str, int]] = {}

    def run(self, settings: dict[str, Any], config: Path | None, sources: Any, folder: Path, limit: None) -> Trial:
        model = settings["run.model"]
        self.ran.append(model)
        self.settings.append(settings)
        if self.ran.count(model) == self.broken.get(model):
            raise ScraperError("a run ended with 1: out of luck")
        folder.mkdir(parents=True)
        seconds = 100 / self.speeds[model]
        made = trial(101, model=model, seconds=seconds + 0.5)
        return Trial(settings, folder, made.ok, {}, seconds + 1, made.usage, made.session)

    def brought(self, folder: Path) -> Brought:
        return Brought(self.rows.get(folder.name, {"http://127.0.0.1/": 1}), {}, frozenset({"127.0.0.1"}))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench({"hybrid": 50, "asyncio": 30, "threads": 20})
    monkeypatch.setattr(comparing, "run_trial", bench.run)
    monkeypatch.setattr(comparing, "brought_by", bench.brought)
    return bench


PAGES = Pages(("urls.txt",), 101, 1, "urls.txt", settings={"politeness.per_host": 8}, notes=("A <note>.",))


def compared(
    tmp_path: Path,
    *models: str,
    rounds: int = 3,
    steps: list[Step] | None = None,
    config: Config | None = None,
    settings: dict[str, Any] | None = None,
) -> Comparison:
    plan = Plan(models, rounds, None, config or load_config(None), settings or {}, tmp_path)
    return compare(plan, PAGES, (steps if steps is not None else []).append)


def test_models_run_in_turn_and_another_one_is_first_each_round(bench: Bench, tmp_path: Path) -> None:
    steps: list[Step] = []
    found = compared(tmp_path, "hybrid", "asyncio", "threads", steps=steps)
    assert " ".join(bench.ran) == "hybrid asyncio threads asyncio threads hybrid threads hybrid asyncio"
    assert [(step.number, step.of, step.model) for step in steps][-1] == (9, 9, "asyncio")
    assert list(found.models) == ["hybrid", "asyncio", "threads"], "the fastest is not first"
    assert found.choice.model == "hybrid"
    assert found.is_sound


def test_settings_of_pages_go_over_the_users_and_the_model_over_all(bench: Bench, tmp_path: Path) -> None:
    compared(tmp_path, "asyncio", rounds=1, settings={"politeness.per_host": 99, "run.model": "hybrid", "a.b": 1})
    assert bench.settings == [{"politeness.per_host": 8, "run.model": "asyncio", "a.b": 1}]


def test_model_that_breaks_is_left_out_and_the_others_go_on(bench: Bench, tmp_path: Path) -> None:
    bench.broken = {"asyncio": 2}
    steps: list[Step] = []
    found = compared(tmp_path, "hybrid", "asyncio", steps=steps)
    assert bench.ran.count("asyncio") == 2
    assert bench.ran.count("hybrid") == 3
    assert found.left_out == {"asyncio": "a run ended with 1: out of luck"}
    assert [step.problem for step in steps if step.trial is None] == ["a run ended with 1: out of luck"]
    assert not found.is_sound


def test_nothing_but_broken_models_is_an_error(bench: Bench, tmp_path: Path) -> None:
    bench.broken = {"hybrid": 1}
    with pytest.raises(ScraperError, match="out of luck"):
        compared(tmp_path, "hybrid")


def test_pages_of_which_none_gives_a_row_are_nothing_to_choose_by(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(settings: dict[str, Any], *_: Any) -> Trial:
        made = trial(0, model=settings["run.model"], first_row_s=None)
        return Trial(settings, tmp_path, 0, {"connect": 3}, 1.0, made.usage, made.session)

    monkeypatch.setattr(comparing, "run_trial", fail)
    with pytest.raises(ScraperError, match="no page gave a row, so there is nothing to choose by: 3 connect"):
        compared(tmp_path, "hybrid", rounds=1)


def test_settings_that_no_model_can_have_are_named(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"processes: fetch\.cookies"):
        compared(tmp_path, "processes", config=load_config(None, ["fetch.cookies=true"]))


def test_model_that_the_settings_forbid_is_left_out_with_the_reason(bench: Bench, tmp_path: Path) -> None:
    config = load_config(None, ["fetch.cookies=true", "politeness.by=address"])
    possible, impossible = possible_models(config, MODELS)
    assert set(MODELS) - set(possible) == set(impossible) == {"processes", "sharded"}
    found = compared(tmp_path, "hybrid", "processes", rounds=1, config=config)
    assert "fetch.cookies" in found.left_out["processes"]
    assert found.is_sound, "it could not have been run"


@pytest.mark.parametrize(("other", "says"), [("2-asyncio", "(asyncio)"), ("4-hybrid", "hybrid differs from itself")])
def test_first_difference_is_told_with_its_models(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str, says: str
) -> None:
    bench.rows[other] = {"http://127.0.0.1/": 2}
    found_at = comparing.Difference("http://127.0.0.1/", "title", "'a'", "'b'")
    monkeypatch.setattr(comparing, "difference_at", lambda url, one, two: found_at)
    found = compared(tmp_path, "hybrid", "asyncio", rounds=2)
    assert found.difference == found_at
    assert "title: 'a' (hybrid), 'b'" in equality(found)
    assert says in equality(found)
    assert not found.is_sound


def test_page_that_leads_to_another_machine_ends_it() -> None:
    refuse_remote(Brought({}, {}, frozenset({"127.0.0.1", "localhost"})))
    with pytest.raises(UsageError, match=r"redirects to a\.example"):
        refuse_remote(Brought({}, {}, frozenset({"127.0.0.1", "a.example"})))


# -- rows -------------------------------------------------------------------------------------------------------------


def brought(failures: dict[str, str] | None = None, **rows: int) -> Brought:
    return Brought(rows, failures or {}, frozenset())


@pytest.mark.parametrize(
    ("one", "other", "url"),
    [
        (brought(a=1, b=2), brought(b=2, a=1), None),
        (brought(a=1, b=2), brought(a=1, b=3), "b"),
        (brought(a=1, b=2), brought(a=1), "b"),
        (brought({"c": "dns"}, a=1), brought({"c": "timeout"}, a=1), "c"),
        (brought({"a": "dns"}), brought(a=1), "a"),
    ],
    ids=["equal", "row", "missing", "kind", "outcome"],
)
def test_first_url_with_another_outcome_is_found(one: Brought, other: Brought, url: str | None) -> None:
    assert one.first_other(other) == other.first_other(one) == url


def scraped(urls: Sequence[str], folder: Path, *settings: str) -> Path:
    config = load_config(None, [*settings, "politeness.robots=false"])
    loop.run(run_session(config, Request(urls, folder), lambda _: None))
    return folder


@pytest.mark.parametrize("format", ["jsonl", "sqlite", "csv"])
def test_runs_are_compared_by_typed_values_and_not_by_time(site: Site, tmp_path: Path, format: str) -> None:
    one, two = (
        brought_by(scraped(site.urls[:9], tmp_path / model, f"write.format={format}", f"run.model={model}"))
        for model in ("asyncio", "asyncio-threads")
    )
    assert len(one.rows) == 9
    assert one == two
    assert one.hosts == {"127.0.0.1"}


def test_difference_names_the_field_and_both_values(site: Site, tmp_path: Path) -> None:
    urls = [*site.urls[:2], f"{site.url}/nothing"]
    one, two = (
        scraped(urls, tmp_path / rule, "run.model=asyncio", f"fields.name={rule}", "fields.price=.price")
        for rule in ("h1", "title")
    )
    url = brought_by(one).first_other(brought_by(two))
    found = difference_at(str(url), one, two)
    assert (found.url, found.what) == (min(site.urls[:2]), "name")
    assert found.one != found.other


def test_difference_in_the_outcome_names_both_outcomes(site: Site, tmp_path: Path) -> None:
    rules = ("h1", ".nothing")
    one, two = (
        scraped(site.urls[:1], tmp_path / rule, "run.model=asyncio", f"fields.n={{ css = '{rule}', required = true }}")
        for rule in rules
    )
    found = difference_at(site.urls[0], one, two)
    assert (found.what, found.one, found.other) == ("outcome", "ok", "required_field")


# -- what is shown ----------------------------------------------------------------------------------------------------


def test_page_shows_every_model_and_escapes_what_comes_from_outside(bench: Bench, tmp_path: Path) -> None:
    bench.broken = {"threads": 1}
    found = compared(tmp_path, "hybrid", "asyncio", "threads", rounds=2)
    page = page_of(found)
    assert "A &lt;note&gt;." in page
    assert "run.model = &quot;hybrid&quot;" in page
    assert "out of luck" in page
    assert page.count("<figure>") == 6 + 2, "six pictures, and the times of a page for each of two models"
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_result_as_json_has_every_figure_and_every_trial(bench: Bench, tmp_path: Path) -> None:
    told = json.loads(json.dumps(as_json(compared(tmp_path, "hybrid", "asyncio"))))
    assert told["recommended"] == told["fastest"] == "hybrid"
    assert told["models"]["hybrid"]["pages_per_s"] == {"median": 50, "low": 50, "high": 50}
    assert {len(trials) for trials in told["trials"].values()} == {3}
    assert told["equal"] is True
    assert told["difference"] is None


@pytest.mark.parametrize("width", [80, 120])
def test_table_fits_the_terminal(bench: Bench, tmp_path: Path, width: int) -> None:
    from rich.console import Console

    bench.speeds = dict.fromkeys(MODELS, 12_345.6)
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(table_of(compared(tmp_path, *MODELS), width))
    text = console.export_text()
    assert "…" not in text
    assert all(model in text for model in MODELS)
    assert ("█" in text) == (width == 120)
    console.file.close()


def test_headline_names_the_interpreter(bench: Bench, tmp_path: Path) -> None:
    assert "with a GIL" in headline(compared(tmp_path, "hybrid")) or "free-threaded" in headline(
        compared(tmp_path, "hybrid")
    )


# -- the command ------------------------------------------------------------------------------------------------------


def test_practice_site_is_compared_without_a_source(cli: Cli) -> None:
    models = ("--model", "hybrid", "--model", "asyncio")
    done = cli("compare", "--pages", "60", "--rounds", "1", *models, "-o", "out", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["pages"], told["hosts"], told["equal"]) == (60, 1, True)
    assert told["recommended"] in ("hybrid", "asyncio")
    assert {each["ok"] for each in told["models"].values()} == {60}
    assert json.loads((cli.folder / "out/compare.json").read_text()) == told
    assert (cli.folder / "out/compare.html").read_text().startswith("<!doctype html>")
    assert "1/2  hybrid" in done.err


def test_model_named_twice_is_run_once_and_is_no_fastest_of_one(site: Site, cli: Cli) -> None:
    urls = cli.write_list(site.urls[:5])
    done = cli("compare", urls, "--model", "hybrid", "--model", "hybrid", "--rounds", "1", "-o", "out")
    assert done.code == 0, done.err
    assert "1/1  hybrid" in done.err
    assert "the only one that was measured" in done.out


def test_folder_that_is_a_file_is_told_before_anything_is_measured(site: Site, cli: Cli) -> None:
    (cli.folder / "taken").write_text("")
    done = cli("compare", cli.write_list(site.urls[:5]), "--model", "hybrid", "-o", "taken")
    assert done.code == 2
    assert done.err == "scraper: taken: is a file: name another folder with -o\n"


def test_rows_that_differ_are_told_and_end_with_1(site: Site, cli: Cli) -> None:
    (cli.folder / "unsteady.py").write_text(
        "import itertools, os\nN = itertools.count()\ndef mark(page, tree):\n    return {'number': os.getpid()}\n"
    )
    urls = cli.write_list(site.urls[:10])
    done = cli("compare", urls, "--set", "parse.function=unsteady:mark", "--model", "asyncio", "--rounds", "2")
    assert done.code == 1
    assert f"{min(site.urls[:10])}\n  number: " in done.out
    assert "asyncio differs from itself" in done.out
    assert "imported by its name" in done.out


def test_recording_is_made_and_compared_on(site: Site, cli: Cli) -> None:
    urls = cli.write_list(site.urls[:40])
    done = cli("compare", urls, "--replay", "--rounds", "1", "--model", "asyncio", "-o", "out", "--json")
    assert done.code == 0, done.err
    assert "recording 40 pages" in done.err
    assert json.loads(done.out)["source"].startswith("a recording of")
    assert json.loads(done.out)["models"]["asyncio"]["ok"] == 40
    assert (cli.folder / "out/replay/about.json").exists()


@needs_loopback
def test_remote_list_with_a_recording_is_compared_without_asking_anybody_else(cli: Cli) -> None:
    urls = [f"https://shop{number % 3}.example/item/{number}" for number in range(30)]
    with Tape(cli.folder / "out/replay") as tape:
        for url in urls:
            tape.add(url, 200, [("content-type", "text/html")], 0.02, 0.005, b"<title>An item</title>" + b" " * 9000)
        tape.finish(About(VERSION, "2026-11-22T23:05:23Z", digest_of(urls), [*map(Asked, urls)], {}))
    arguments = (cli.write_list(urls), "--replay", "--rounds", "1", "--model", "hybrid", "-o", "out")
    done = cli("compare", *arguments, "--no-delay")
    assert done.code == 0, done.err
    assert "30 pages of 3 hosts from a recording of 2026-11-22 23:05 UTC" in " ".join(done.out.split())
    assert "Without politeness.delay, robots.txt and its Crawl-delay" in " ".join(done.out.split())
    assert "only one run" in done.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["http://127.0.0.1:9/", "http://a.example/x", "http://b.example/"], "a.example is not this machine"),
        (["http://127.0.0.1:9/", "--record"], "--record is about a recording: add --replay"),
        (["http://127.0.0.1:9/", "--no-delay"], "--no-delay is about a recording: add --replay"),
        (["--replay"], "--replay records your own pages"),
        (["--model", "fast"], "expected one of hybrid, asyncio"),
        (["missing.txt"], "missing.txt"),
        (["ftp://127.0.0.1/"], "holds no URL that can be fetched"),
        (["--set", "fetch.concurrency=0"], "fetch.concurrency"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def slow_site() -> Iterator[Site]:
    yield from start_site(SiteOptions(pages=50, latency_s=2.0))


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "term"])
def test_interrupt_leaves_nothing(
    slow_site: Site, cli: Cli, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = cli.write_list(slow_site.urls)
    temporary = cli.folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with cli.start("compare", urls, "--model", "hybrid", stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: len(list(tree_of(process.pid))) >= 3 and list(temporary.glob("*/*/journal")))
        tree = list(tree_of(process.pid))
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.decode().splitlines()[-1] == "scraper: interrupted"
    wait_until(lambda: not [pid for pid in tree if is_alive(pid)], 5)
    assert not list(temporary.iterdir())
    assert not (cli.folder / "output").exists()
