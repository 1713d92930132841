"""The pure parts of benchmarks/: comparing rows, tables, targets, the plot. Speed itself is asserted nowhere."""

import doctest
import importlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import golang
from benchmarks.__main__ import options
from benchmarks.bench import Bench, BenchError
from benchmarks.changes import slower
from benchmarks.machine import sources_digest
from benchmarks.pages import PageFolder, documentation, link_files
from benchmarks.plot import SHOWN, draw
from benchmarks.results import Case, Report, Reports, Run, read_reports, save_reports
from benchmarks.rows import differences, missing_rows
from benchmarks.scenarios import SCENARIOS
from benchmarks.scenarios.job import CONTENDERS, Contender, ready
from benchmarks.table import BEGIN, END, LABELS, TITLES, case_table, generated, target_row, with_generated
from benchmarks.targets import TARGETS, Target, at_least, at_most, of, ratio

ROOT = Path(__file__).parents[1]


def case(name: str, *walls: float, pages: int = 100, cpu_s: float = 1.0, **figures: float) -> Case:
    return Case(name, pages, [Run(wall, cpu_s, cpu_s / 2, 2**20) for wall in walls], figures)


def reports(*cases: Case, scenario: str = "job") -> Reports:
    return {scenario: Report(scenario, "some pages", "make bench", "2026-01-01", "2 cores", {"Python": "3"}, [*cases])}


@pytest.mark.parametrize("name", ["pages", "results", "rows", "table"])
def test_examples_in_the_docstrings_are_right(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"benchmarks.{name}"))
    assert result.attempted
    assert not result.failed


# -- what became slower ---------------------------------------------------------------------------------------------


def test_what_became_slower_is_named() -> None:
    before = reports(case("ours", 1.0, cpu_s=0.100), case("floor", 1.0, cpu_s=0.050))["job"]
    now = reports(case("ours", 1.2, cpu_s=0.120), case("floor", 1.0, cpu_s=0.052), case("new", 9.0))["job"]
    assert slower(before, now) == ["slower: ours: 1.200 ms of CPU a page, was 1.000; 83 pages/s, was 100"]


def test_with_nothing_before_nothing_is_slower() -> None:
    assert slower(None, reports(case("ours", 1.0))["job"]) == []


# -- the rows of two contenders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "complaints"),
    [
        ({"a": "A", "b": "B"}, []),
        ({"a": "A"}, ["b: no row"]),
        ({"a": "A", "b": "B", "c": "C"}, ["c: a row that nobody asked for"]),
        ({"a": "A", "b": "b"}, ["b: 'b' instead of 'B'"]),
    ],
)
def test_other_titles_and_pages_are_found(found: dict[str, str], complaints: list[str]) -> None:
    assert differences(["a", "b"], {"a": "A", "b": "B"}, found) == complaints


def test_title_of_a_page_that_nobody_scraped_before_is_taken_as_it_is() -> None:
    assert differences(["a", "b"], {"a": "A"}, {"a": "A", "b": "B"}) == []


def test_missing_and_doubled_rows_are_found() -> None:
    rows = [{"url": "a"}, {"url": "b"}, {"url": "b"}]
    assert missing_rows(["a", "b", "c"], rows) == ["b: 2 rows instead of 1", "c: 0 rows instead of 1"]


# -- pages ----------------------------------------------------------------------------------------------------------


def test_only_utf8_pages_of_a_usual_size_are_taken(tmp_path: Path) -> None:
    filling = b"<p>" + b"x" * 5000
    pages = {"good": filling, "small": b"<p>", "latin": filling + b"\xe9", "told": b"<meta charset=latin1>" + filling}
    for name, body in pages.items():
        (tmp_path / f"{name}.html").write_bytes(body)
    assert [path.stem for path in documentation(tmp_path)] == ["good"]


def test_files_come_again_under_another_url(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("a")
    (tmp_path / "served").mkdir()
    pages = link_files(tmp_path / "served", [tmp_path / "a.html"])
    assert (pages.folder / pages.names[0]).read_text() == "a"
    assert pages.paths(3) == ["/00000.html", "/00000.html?copy=1", "/00000.html?copy=2"]


def test_pages_are_described_by_number_origin_and_size(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("a" * 2000)
    assert PageFolder(tmp_path, ["a.html"], "files").describe(3000) == "3,000 pages (1 files, 2 KB on average)"


# -- the contender in Go --------------------------------------------------------------------------------------------


IN_GO = Contender("go", "go", "go_goquery")
OTHER = Contender("floor", "script", "floor")


def bench(said: list[str], *only: str) -> Bench:
    return Bench(100, 1, frozenset(only), 1.0, said.append)


def fake_go(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A compiler that is a shell script, and a folder where it would find goquery."""
    compiler = folder / "go"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    (folder / golang.GOQUERY).mkdir(parents=True)
    monkeypatch.setattr(golang, "find_go", lambda: str(compiler))
    monkeypatch.setattr(golang, "GOPATH", folder)


def test_contender_in_go_is_left_out_where_go_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(golang, "find_go", lambda: None)
    said: list[str] = []
    assert ready(bench(said), (IN_GO, OTHER), tmp_path) == (OTHER,)
    assert said == ["go left out: needs Go (Debian: golang-go)"]
    assert golang.go_versions() == {}


def test_contender_in_go_is_left_out_where_goquery_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_go(monkeypatch, tmp_path, "exit 1")
    monkeypatch.setattr(golang, "GOPATH", tmp_path / "empty")
    said: list[str] = []
    assert ready(bench(said), (IN_GO, OTHER), tmp_path) == (OTHER,)
    assert len(said) == 1
    assert golang.GOQUERY_PACKAGE in said[0]


def test_nothing_is_said_of_go_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(golang, "find_go", lambda: None)
    said: list[str] = []
    assert ready(bench(said, "floor"), (IN_GO, OTHER), tmp_path) == (OTHER,)
    assert said == []


def test_contender_in_go_is_compiled_without_modules_or_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_go(monkeypatch, tmp_path, 'echo "$GO111MODULE $GOPROXY $GOPATH" > "$3"')
    monkeypatch.setenv("GO111MODULE", "on")
    (contender,) = ready(bench([]), (IN_GO,), tmp_path)
    program, *arguments = contender.command(tmp_path / "urls.txt", tmp_path / "out")
    assert Path(program).read_text() == f"off off {tmp_path}\n"
    assert arguments == [str(tmp_path / "urls.txt"), str(tmp_path / "out" / "pages.jsonl")]


def test_program_that_does_not_compile_ends_the_benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_go(monkeypatch, tmp_path, 'echo "main.go:3: undefined" >&2; exit 1')
    with pytest.raises(BenchError, match=r"go_goquery/main.go does not compile:\nmain.go:3: undefined"):
        ready(bench([]), (IN_GO,), tmp_path)


# -- tables ---------------------------------------------------------------------------------------------------------


def test_table_has_the_median_and_both_ends() -> None:
    table = case_table(reports(case("ours", 1.0, 2.0, 4.0))["job"])
    assert table.splitlines()[-1] == ("| hybrid-scraper | 100 | 50 (25-100) | 10.000 (10.000-10.000) | 5.000 | 1 |")


def test_every_contender_and_scenario_has_a_name_to_show() -> None:
    assert {contender.name for contender in CONTENDERS} == LABELS.keys()
    assert SCENARIOS.keys() == TITLES.keys()
    assert set(SHOWN) <= LABELS.keys()


def test_generated_text_replaces_the_earlier_one_and_nothing_else() -> None:
    page = f"head\n{BEGIN}\nold\n{END}\ntail\n"
    once = with_generated(page, "new")
    assert once == f"head\n{BEGIN}\n\nnew\n\n{END}\ntail\n"
    assert with_generated(once, "new") == once


@pytest.mark.parametrize("page", ["", f"{BEGIN} only", f"{END} {BEGIN}"])
def test_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        with_generated(page, "new")


def test_documentation_is_what_its_data_give() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    measured = read_reports(ROOT / "docs" / "benchmarks.json")
    assert with_generated(page, generated(measured)) == page, "make bench writes both"


# -- targets --------------------------------------------------------------------------------------------------------

SPEED: Target = at_least("speed", 100, "{:.0f} pages/s", of("job", "ours", lambda case: case.pages_per_s))
CPU: Target = at_most("cpu", 5, "{:.0f} ms", of("job", "ours", lambda case: case.cpu_ms))


@pytest.mark.parametrize(
    ("target", "cases", "row"),
    [
        (SPEED, [case("ours", 0.5)], ["speed", ">= 100 pages/s", "200 pages/s", "met"]),
        (SPEED, [case("ours", 1.0)], ["speed", ">= 100 pages/s", "100 pages/s", "met"]),
        (SPEED, [case("ours", 2.0)], ["speed", ">= 100 pages/s", "50 pages/s", "**missed**"]),
        (SPEED, [case("floor", 1.0)], ["speed", ">= 100 pages/s", "not measured", ""]),
        (CPU, [case("ours", 1.0)], ["cpu", "<= 5 ms", "10 ms", "**missed**"]),
        (CPU, [case("ours", 1.0, cpu_s=0.5)], ["cpu", "<= 5 ms", "5 ms", "met"]),
    ],
)
def test_target_beside_what_was_measured(target: Target, cases: list[Case], row: list[str]) -> None:
    assert target_row(target, reports(*cases)) == row


def test_ratio_is_of_the_medians() -> None:
    measured = ratio("job", "ours", "scrapy", lambda case: case.pages_per_s)
    assert measured(reports(case("ours", 1.0, 2.0, 9.0), case("scrapy", 8.0))) == 4.0
    assert measured(reports(case("ours", 1.0))) is None


def test_no_target_fails_where_nothing_was_measured() -> None:
    assert {target.measured({}) for target in TARGETS} == {None}


# -- plot, data, command line ---------------------------------------------------------------------------------------


def test_plot_is_xml_with_two_bars_for_each_system() -> None:
    svg = ElementTree.fromstring(draw([case("ours", 1.0), case("scrapy", 10.0), case("ours-long", 1.0)]))
    bars = [rect for rect in svg.iter("{http://www.w3.org/2000/svg}rect") if rect.get("x")]
    lengths = [float(bar.attrib["width"]) for bar in bars]
    assert len(lengths) == 4
    assert lengths[0] == pytest.approx(lengths[1] * 10)
    assert lengths[2] == lengths[3]


def test_plot_of_nothing_is_empty() -> None:
    assert draw([case("unknown", 1.0)]) == ""


def test_reports_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "benchmarks.json"
    assert read_reports(path) == {}
    kept = reports(case("ours", 1.0, first_page_s=0.5))
    save_reports(path, kept)
    assert read_reports(path) == kept


def test_any_edit_of_the_code_changes_its_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    first = sources_digest(tmp_path)
    assert sources_digest(tmp_path) == first
    (tmp_path / "a.py").write_text("x = 2\n")
    edited = sources_digest(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, edited, sources_digest(tmp_path)}) == 3


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["--pages", "0"], ["--rounds", "0"], ["--seconds", "0"], ["--only", "nobody"]]
)
def test_wrong_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(arguments)
    assert "error" in capsys.readouterr().err


def test_all_means_every_scenario() -> None:
    assert options(["all"]).scenarios == list(SCENARIOS)
    assert options([]).scenarios == ["job"]
