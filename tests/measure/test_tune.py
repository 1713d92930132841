"""Tuning: trials of the right length, what is said and written at the end, and the command as a process."""

import re
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scraper.cli.tune import budget_of, report
from scraper.config import Config, load_config
from scraper.config.edit import Setting
from scraper.errors import ConfigError, ScraperError, SinkError, UsageError, WriteError
from scraper.measure.pages import Pages
from scraper.measure.trial import LateError, Trial, run_trial
from scraper.measure.tune import bench as benches
from scraper.measure.tune.bench import WAVES, Bench, rate_of, working_s
from scraper.measure.tune.chosen import Tuned, conclusion, reason_of
from scraper.measure.tune.configfile import changed_text, difference, refuse_unwritable, replace_text
from scraper.measure.tune.race import Noise, Standing, Verdict
from scraper.measure.tune.search import Choice, Found
from scraper.measure.tune.space import Point
from scraper.measure.tune.tuning import Plan, Step, tune
from tests.conftest import Cli, Site
from tests.measure.machines import START, Machine
from tests.measure.trials import trial

PAGES = Pages(("urls.txt",), 20_000, 40, "urls.txt")


@dataclass
class Runs:
    """`scraper run` as a simulated machine does it, on a clock of its own."""

    machine: Machine
    overhead_s: float = 1.0
    limits: list[dict[str, Any]] = field(default_factory=list)
    failing: Mapping[str, str] = field(default_factory=dict)
    now: float = 1000.0
    asked: list[tuple[Point, int]] = field(default_factory=list)

    def run_trial(
        self, settings: Mapping[str, Any], config: Any, sources: Any, folder: Any, limit: int, *, timeout_s: float
    ) -> Trial:
        size = int(str(settings["parse.batch_bytes"]).removesuffix("KiB").replace("1MiB", "1024")) * 1024
        point = Point(settings["run.model"], settings["fetch.concurrency"], settings["parse.processes"], size)
        self.asked.append((point, limit))
        if point.model in self.failing:
            raise ScraperError(self.failing[point.model])
        seconds = limit / self.machine.rate(point)
        self.now += min(seconds + self.overhead_s, timeout_s)
        if seconds + self.overhead_s > timeout_s:
            raise LateError("a run took longer than that")
        phases = {"head": [], "body": [], "parse": [], "write": [], "page": []}
        return trial(limit, seconds=seconds + 0.1, first_row_s=0.1, limits=self.limits, phases=phases)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs(Machine(latency=0.1, fetch=4e-4, parse=2e-3))
    monkeypatch.setattr(benches, "run_trial", runs.run_trial)
    monkeypatch.setattr(benches, "time", SimpleNamespace(monotonic=lambda: runs.now))
    return runs


def bench(pages: Pages = PAGES, budget_s: float = 120.0, **sections: dict[str, Any]) -> Bench:
    return Bench(Config(**sections), None, pages, {}, Path("nowhere"), budget_s)


def test_trial_is_as_long_as_its_share_of_the_budget_and_uses_each_request_some_times(runs: Runs) -> None:
    table = bench()
    table.begin(START)
    assert table.length(START) / table.pace == pytest.approx(table.target_s, rel=0.1)
    assert table.length(replace(START, concurrency=1024)) == WAVES * 1024


def test_list_that_is_too_short_is_told_with_how_many_are_needed(runs: Runs) -> None:
    few = replace(PAGES, count=30)
    with pytest.raises(UsageError, match=r"urls.txt: 30 URLs are done in [\d.]+ ms, .* give at least \d+00$") as told:
        bench(few).begin(START)
    wanted = int(str(told.value).rpartition(" ")[2].replace(",", ""))
    bench(replace(PAGES, count=wanted)).begin(START)


def test_pages_that_all_fail_cannot_be_tuned_on(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benches, "run_trial", lambda *_, **__: replace(trial(0), failures={"dns": 9}))
    with pytest.raises(ScraperError, match=r"none of 9 pages gave a row \(9 dns\)"):
        bench().begin(START)


def test_first_trial_is_short_where_hosts_are_asked_slowly(runs: Runs) -> None:
    runs.machine = Machine(latency=1.0, fetch=4e-4, parse=2e-4, server=0.5)
    runs.limits = [{"name": "politeness", "share": 0.9, "advice": "lower it", "gain": None}]
    table = bench(replace(PAGES, hosts=1), politeness={"delay": 2.0})
    assert rate_of(table.begin(START)) == pytest.approx(0.5, rel=0.1)
    assert runs.asked == [(START, 2)]


def test_pages_that_take_half_the_budget_are_given_up(runs: Runs) -> None:
    runs.machine = Machine(latency=1.0, fetch=4e-4, parse=2e-4, server=1.0)
    with pytest.raises(UsageError, match="100 pages took more than 60 s, half the budget"):
        bench().begin(START)


def test_setting_that_is_far_slower_is_given_up_early(runs: Runs) -> None:
    table = bench()
    table.begin(START)
    answer = table.measure(replace(START, model="processes", processes=1))
    assert (answer.rate, answer.is_cut) == (None, False)
    assert re.fullmatch(r"[\d,]+ pages took more than [\d.]+ s", answer.why)
    assert answer.took_s < 10


def test_trial_that_the_end_of_the_budget_cuts_is_no_judgement(runs: Runs) -> None:
    table = bench(budget_s=60.0)
    table.begin(START)
    runs.now += 60.0 - (runs.now - 1000.0) - 1.0
    assert table.measure(START).is_cut


def test_run_that_fails_has_no_rate_but_a_reason(runs: Runs) -> None:
    table = bench()
    table.begin(START)
    runs.failing = {"threads": "a run ended with 1: oh"}
    assert table.measure(replace(START, model="threads")).why == "a run ended with 1: oh"


def test_speed_counts_rows_from_the_first_request_on() -> None:
    done = trial(900, seconds=10.0, first_row_s=1.0, phases={"page": [[0.5, 900]]})
    assert working_s(done) == pytest.approx(9.5, rel=0.01)
    assert rate_of(done) == pytest.approx(900 / 9.5, rel=0.01)


def test_whole_tuning_finds_good_settings_within_its_budget(runs: Runs, tmp_path: Path) -> None:
    steps: list[Step] = []
    plan = Plan(Config(fetch={"concurrency": 16}), None, {}, PAGES, tmp_path, 120.0)
    tuned = tune(plan, steps.append, lambda notes: None)
    assert tuned.found is not None
    assert tuned.trials == len(runs.asked)
    assert tuned.seconds <= 120.0
    assert runs.machine.loss(tuned.found.point) < 0.05
    assert [setting.name for setting in tuned.settings][:2] == ["run.model", "fetch.concurrency"]
    assert [step.number for step in steps] == list(range(steps[0].number, tuned.trials + 1))


def test_automatic_number_of_requests_is_what_the_found_one_must_beat(runs: Runs, tmp_path: Path) -> None:
    plan = Plan(Config(fetch={"concurrency": "auto"}), None, {}, PAGES, tmp_path, 120.0)
    tuned = tune(plan, lambda step: None, lambda notes: None)
    assert tuned.found is not None
    assert tuned.found.final is not None
    assert tuned.start.concurrency == "auto"
    assert isinstance(tuned.found.point.concurrency, int)


def test_where_politeness_limits_nothing_is_searched(runs: Runs, tmp_path: Path) -> None:
    runs.limits = [{"name": "politeness", "share": 0.9, "advice": "a.example: lower its delay", "gain": None}]
    tuned = tune(Plan(Config(), None, {}, PAGES, tmp_path, 120.0), lambda step: None, lambda notes: None)
    assert len(runs.asked) <= 3
    assert tuned.settings == []
    assert "politeness is what limits these pages" in next(conclusion(tuned))
    assert "a.example: lower its delay" in next(conclusion(tuned))


# -- what is said and written ------------------------------------------------------------------------------------------


def standing(concurrency: int, rate: float, ratio: float) -> Standing[Point]:
    return Standing(replace(START, concurrency=concurrency), rate, ratio, 0.0 if ratio == 1 else 0.03, 4)


def choice(is_sure: bool = True) -> Choice:
    standings = (standing(64, 600.0, 0.7), standing(128, 912.0, 1.0), standing(256, 1000.0, 1.005))
    return Choice("concurrency", Verdict(replace(START, concurrency=128), standings, is_sure, Noise()))


def test_reason_names_the_rates_as_they_compare() -> None:
    assert reason_of(choice()) == "128 gave 912 pages/s, 256 917, 64 638 (+-3 %)"
    assert reason_of(choice(is_sure=False)) == "128 gave 912 pages/s, 256 917, 64 638 (+-3 %, unsure)"


def tuned_to(point: Point, *choices: Choice, final: Verdict[Point] | None = None) -> Tuned:
    return Tuned(START, 600.0, 30, 100.0, Found(point, choices, final, Noise(), ()))


def test_what_a_model_takes_by_itself_is_written_too() -> None:
    tuned = tuned_to(replace(START, model="sharded", processes=2))
    assert [(one.name, one.value) for one in tuned.settings] == [("run.model", "sharded"), ("parse.processes", 2)]


def test_what_changes_nothing_with_the_model_is_not_written() -> None:
    tuned = tuned_to(replace(START, model="asyncio", batch_bytes=1024, processes=3))
    assert [one.name for one in tuned.settings] == ["run.model"]


def test_conclusion_compares_with_what_was_there() -> None:
    point = replace(START, concurrency=128)
    final = Verdict(point, (Standing(point, 900.0, 1.0, 0.0, 3), Standing(START, 610.0, 0.75, 0.02, 3)), True, Noise())
    lines = list(conclusion(tuned_to(point, choice(), final=final)))
    assert lines == ["30 trials in 100 s", "900 pages/s with these settings, 675 before: +33 %"]
    assert list(conclusion(tuned_to(START)))[1] == "The settings are the best as they are."


def test_noise_is_told() -> None:
    tuned = Tuned(START, 600.0, 30, 100.0, Found(START, (), None, Noise(4.0, 100), ()))
    assert "Runs with the same settings differed by 20 %" in list(conclusion(tuned))[-1]


def test_config_is_written_with_reasons_and_a_dry_run_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, before = tmp_path / "my.toml", "[fetch]\nconcurrency = 64  # mine\n"
    file.write_text(before)
    tuned = tuned_to(replace(START, concurrency=128), choice())
    report(tuned, file, dry_run=True)
    shown = capsys.readouterr()
    assert file.read_text() == before
    assert "-concurrency = 64  # mine\n" in shown.out
    assert "+concurrency = 128  # mine\n" in shown.out
    report(tuned, file, dry_run=False)
    assert re.fullmatch(
        r"\[fetch\]\n# scraper tune, \d{4}-\d\d-\d\d: concurrency 128 gave 912 pages/s, 256 917, 64 638 \(\+-3 %\)\n"
        r"concurrency = 128  # mine\n",
        file.read_text(),
    )
    assert load_config(file).fetch.concurrency == 128
    assert capsys.readouterr().out == shown.out, "both show the same"


def test_without_a_file_the_lines_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report(tuned_to(replace(START, concurrency=128), choice()), None, dry_run=False)
    shown = capsys.readouterr()
    assert "[fetch]\n# scraper tune, " in shown.out
    assert "-c FILE" in shown.err


def test_new_config_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new.toml"
    refuse_unwritable(file)
    report(tuned_to(replace(START, concurrency=128), choice()), file, dry_run=False)
    assert load_config(file).fetch.concurrency == 128


def test_replacing_keeps_permissions_and_links_and_leaves_nothing_behind(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_bytes(b"[fetch]\r\n")
    real.chmod(0o640)
    link.symlink_to(real)
    replace_text(link, "[fetch]\r\nconcurrency = 3\r\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"[fetch]\r\nconcurrency = 3\r\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_disk_that_fails_leaves_the_config_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[fetch]\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scraper.disk.write_all", full)
    with pytest.raises(WriteError, match=r"my\.toml: cannot be written: No space left on device"):
        replace_text(file, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]
    assert file.read_text() == "[fetch]\n"


def test_file_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("")
    file.chmod(0o444)
    with pytest.raises(SinkError, match=r"my\.toml: is read-only: .* --dry-run"):
        refuse_unwritable(file)
    with pytest.raises(SinkError, match="there is no folder"):
        refuse_unwritable(tmp_path / "nowhere" / "my.toml")


def test_config_that_cannot_be_edited_is_named(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("fetch = 3\n")
    with pytest.raises(ConfigError, match=r"my\.toml: fetch: is a value"):
        changed_text(file, [Setting("fetch", "concurrency", 3, "3")], by="x", on="y")


def test_difference_of_nothing_is_nothing(tmp_path: Path) -> None:
    assert difference(tmp_path / "new.toml", "") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("x", "--budget: 'x' is not a duration"), ("5s", "at least 20s"), ("9999h", "longer than a week")],
)
def test_budget_that_is_none(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        budget_of(text)


# -- the command -------------------------------------------------------------------------------------------------------


def test_command_refuses_a_list_that_is_too_short(cli: Cli, site: Site) -> None:
    result = cli("tune", cli.write_list(site.urls[:20]))
    assert result.code == 2
    assert "urls.txt: 20 URLs are done in" in result.err
    assert result.out == ""


def test_command_leaves_politeness_as_it_is_and_says_that_it_limits(cli: Cli, site: Site) -> None:
    (cli.folder / "polite.toml").write_text('[politeness]\ndelay = "20ms"\n')
    result = cli("tune", cli.write_list(site.urls), "-c", "polite.toml")
    assert result.code == 0, result.err
    assert "politeness is what limits these pages" in result.err
    assert (cli.folder / "polite.toml").read_text() == '[politeness]\ndelay = "20ms"\n'


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes in /proc")
def test_interrupt_writes_nothing_and_leaves_nothing_running(
    cli: Cli, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cli.folder / "my.toml").write_text("[fetch]\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    with cli.start("tune", cli.write_list(site.urls), "-c", "my.toml") as process:
        assert wait_until(lambda: bool(trials_of(scratch)))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said.endswith(b"scraper: interrupted\n")) == (130, True)
    assert (cli.folder / "my.toml").read_text() == "[fetch]\n"
    assert list(scratch.iterdir()) == []
    assert wait_until(lambda: not trials_of(scratch))


def test_trial_that_takes_too_long_is_ended(site: Site, tmp_path: Path) -> None:
    with pytest.raises(LateError, match=r"a run took longer than 0\.05 s"):
        run_trial({}, None, site.urls[:1], tmp_path / "trial", None, timeout_s=0.05)
    assert trials_of(tmp_path / "trial") == []


def wait_until(is_so: Callable[[], bool], most_s: float = 20.0) -> bool:
    deadline = time.monotonic() + most_s
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


def trials_of(folder: Path) -> list[str]:
    """Running commands with the folder in their words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in found if str(folder) in command]
