"""`scraper report`: what a run left is told whole, what is missing or damaged is said, what pages say stays text."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from selectolax.lexbor import LexborHTMLParser

from scraper.errors import ScraperError, SinkError, UsageError
from scraper.measure.report.fill import MOST_DISTINCT, MOST_FIELDS, fill_of
from scraper.measure.report.overtime import coarser, rates, spans_by_name
from scraper.measure.report.told import SeriesTold, read_sessions, telling
from scraper.measure.report.writing import gather, rendered, write_report
from scraper.status import status_of
from tests.conftest import Cli, Site
from tests.measure.example import series, session, write_telemetry

NASTY = "</script><script>alert(1)</script>\u202etxt.exe\u2066 <img src=x onerror=alert(2)> \"'`&amp;"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Path:
    """The folder of a small run with failures."""
    cli = Cli(tmp_path_factory.mktemp("finished"))
    cli.write_list([*site.urls[:12], f"{site.url}/nowhere", "not a url", f"{site.url}/nothing"])
    (cli.folder / "config.toml").write_text(
        '[fields]\ntitle = "h1"\nprice = { css = ".product .price", type = "decimal" }\nnever = ".no-such-thing"\n'
    )
    assert cli("run", "urls.txt", "-c", "config.toml", "-q").code == 0
    return cli.folder / "output"


@pytest.fixture
def run(cli: Cli, finished: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(finished, cli.folder / "output"))


def page_of(folder: Path) -> LexborHTMLParser:
    return LexborHTMLParser(rendered(gather(status_of(folder))))


def table_of(page: LexborHTMLParser, caption: str) -> list[dict[str, str]]:
    """The rows of the table whose caption begins so."""
    table = next(it for it in page.css("table") if it.css_first("caption").text().startswith(caption))
    heads = [cell.text() for cell in table.css("thead th")]
    rows = [[cell.text() for cell in row.css("th, td")] for row in table.css("tbody tr")]
    return [dict(zip(heads, row, strict=True)) for row in rows]


def sections_of(page: LexborHTMLParser) -> list[str]:
    return [heading.text() for heading in page.css("h2")]


def facts_of(page: LexborHTMLParser) -> dict[str, str]:
    return {fact.css_first("dt").text(): fact.css_first("dd").text() for fact in page.css(".facts div")}


# -- a run as it should be ------------------------------------------------------------------------------------------


def test_report_tells_the_balance_the_outcomes_and_how_the_fields_are_filled(run: Path) -> None:
    write_telemetry(run, session())
    page = page_of(run)
    assert page.css_first("header strong").text() == "input 15 = 12 ok + 2 http_status + 1 invalid_url"
    outcomes = {row["outcome"]: row for row in table_of(page, "How the URLs")}
    assert {name: row["URLs"] for name, row in outcomes.items()} == {"ok": "12", "http_status": "2", "invalid_url": "1"}
    assert outcomes["http_status"]["most often"] == "HTTP 404 Not Found"
    assert outcomes["http_status"]["hosts"] == "127.0.0.1 (2)"
    assert "; again: --retry-failed=http_status" in outcomes["http_status"]["what to do"]
    fields = {row["field"]: row for row in table_of(page, "How many of the 12 rows")}
    assert fields["title"]["filled"] == "100 %"
    assert fields["never"] | {"field": ""} == {
        "field": "", "filled": "0 %", "rows": "0", "different values": "0", "the first value": "",
    }  # fmt: skip
    assert re.fullmatch(r"[\d.]+", fields["price"]["the first value"])
    assert "Never filled: never. Try a rule" in page.body.text()


def test_report_tells_how_the_session_went(run: Path) -> None:
    write_telemetry(run, session(started="2026-11-20T10:00:00Z", model="asyncio"), session())
    page = page_of(run)
    assert sections_of(page) == [
        "Outcomes",
        "What limited it",
        "Over time",
        "Latency",
        "Fields",
        "Hosts",
        "Slowest and largest pages",
        "Sessions of this folder",
    ]
    facts = facts_of(page)
    assert facts["pages a second"] == "39.4"
    assert facts["cores used"] == "1.67 of 2"
    assert facts["memory at most"] == "240 MB"
    assert facts["first row after"] == "410 ms"
    limits = table_of(page, "What limited the session")
    assert limits[0] == {
        "limit": "parsing",
        "of the time": "63 %",
        "gain": "up to 1.6x",
        "what to do": "raise parse.processes from 1 to 2",
    }
    assert limits[2]["gain"] == "none by a setting"
    latency = {row["part"]: row for row in table_of(page, "How long each part took")}
    assert latency["Waiting for the answer"]["pages"] == "4,000"
    assert len(table_of(page, "The hosts with the most pages")) == 25
    assert table_of(page, "The other hosts")[-1]["host"] == "all others"
    assert table_of(page, "The largest pages")[0]["page"].startswith("http://shop1.example/")
    assert [row["model"] for row in table_of(page, "The sessions")] == ["hybrid", "asyncio"]


def test_every_chart_has_a_name_and_its_figures_as_a_table(run: Path) -> None:
    write_telemetry(run, session())
    page = page_of(run)
    figures = page.css("figure")
    assert len(figures) == 11
    for figure in figures:
        assert figure.css_first("svg[role=img] > title").text()
        assert figure.css_first("svg[role=img] > desc").text()
        assert figure.css("details table tbody tr")
    names = [node.attributes["id"] for node in page.css("[id]")]
    assert len(names) == len(set(names))


def test_session_that_found_nothing_to_do_does_not_hide_the_one_before(run: Path) -> None:
    idle = session(series={name: [] for name in series()}, hosts=[], limits=[], seconds=0.1, first_row_s=None)
    write_telemetry(run, session(model="asyncio"), idle)
    assert facts_of(page_of(run))["model"] == "asyncio"


def test_session_too_short_for_charts_is_told_in_words(run: Path) -> None:
    brief = session(series={name: [] for name in series()}, phases={}, hosts=[], slowest=[], largest=[], limits=[])
    write_telemetry(run, brief)
    page = page_of(run)
    assert not page.css("figure")
    assert "too short" in page.body.text()


def test_command_writes_one_file_and_says_where(cli: Cli, run: Path) -> None:
    shown = cli("report", "output")
    assert (shown.code, shown.out) == (0, "")
    assert shown.err == "wrote output/report.html: open it in a browser\n"
    assert (run / "report.html").read_text().startswith("<!doctype html>")
    assert write_report(run, cli.folder / "other.html").exists()
    assert write_report(run, None).exists(), "its own page may be replaced"
    assert not list(cli.folder.rglob("*.part"))


def test_rows_are_read_from_whatever_store_the_run_has(cli: Cli, site: Site) -> None:
    cli.write_list(site.urls[:5])
    assert cli("run", "urls.txt", "-q", "--set", "write.format=csv").code == 0
    found = gather(status_of(cli.folder / "output"))
    assert found.fill
    assert found.fill.rows == 5
    assert found.fill.fields["title"].filled == 5


# -- what is missing, damaged or somebody else's ---------------------------------------------------------------------


def test_run_without_telemetry_says_what_cannot_be_told_and_why(run: Path) -> None:
    (run / "telemetry.json").unlink(missing_ok=True)
    page = page_of(run)
    assert sections_of(page) == ["Outcomes", "What cannot be told", "Fields"]
    assert "telemetry.json, which is missing" in page.body.text()
    assert facts_of(page).keys() == {"took", "pages a second", "received"}


def test_run_that_goes_on_shows_what_it_has_committed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run / "telemetry.json").unlink(missing_ok=True)
    monkeypatch.setattr("scraper.status.is_held", lambda path: True)
    page = page_of(run)
    assert page.css_first("header strong").text() == "15 done = 12 ok + 2 http_status + 1 invalid_url"
    assert "still running" in page.css_first("header").text()
    assert "is written when a session ends" in page.body.text()
    write_telemetry(run, session())
    assert "2026-11-22 23:05:23 UTC, the last one that came to its end" in page_of(run).css_first("header").text()


def test_archive_has_no_fields_and_says_so(cli: Cli, site: Site) -> None:
    cli.write_list(site.urls[:3])
    assert cli("run", "urls.txt", "-q", "--set", "write.format=warc").code == 0
    assert "holds an archive of replies and no rows" in page_of(cli.folder / "output").body.text()


def test_rows_may_be_left_unread(run: Path) -> None:
    found = gather(status_of(run), with_rows=False)
    assert found.fill is None
    assert "--no-rows" in rendered(found)


def test_folder_without_a_run_is_refused(cli: Cli) -> None:
    shown = cli("report", "nowhere")
    assert shown.code == 2
    assert shown.err == "scraper: nowhere: no run has written here (there is no journal): name the folder of -o\n"


DAMAGED = {
    "telemetry.json": [
        b"", b"{", b"[]", b"\xff\xfe", b'{"version": 1}', b'{"version": 1, "sessions": [{}]}',
        json.dumps({"version": 1, "sessions": [session(series=series() | {"at": [1.0]})]}).encode(),
        json.dumps({"version": 1, "sessions": [session(hosts=[{"host": 5}])]}).encode(),
        b'{"version": 99, "sessions": "of another kind"}',
    ],
    "summary.json": [b"", b"{", b"[]", b"{}", b'{"finished": "yes"}'],
    "pages.jsonl": [b"", b"not JSON\n" * 1000],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, cases in DAMAGED.items() for number in range(len(cases))]
)
def test_damaged_file_is_named_on_one_line(run: Path, name: str, number: int) -> None:
    (run / name).write_bytes(DAMAGED[name][number])
    with pytest.raises(ScraperError, match=re.escape(name)) as caught:
        write_report(run, None)
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    assert not (run / "report.html").exists()


def test_link_is_followed_and_what_is_no_file_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    write_report(run, tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert "<html" in (tmp_path / "real.html").read_text()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is no file: name another one with -o"):
        write_report(run, tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_file_that_is_no_report_is_not_replaced(run: Path) -> None:
    for path in (run / "pages.jsonl", run / "summary.json"):
        before = path.read_bytes()
        with pytest.raises(UsageError, match="is no report"):
            write_report(run, path)
        assert path.read_bytes() == before
    with pytest.raises(UsageError, match="is a folder"):
        write_report(run, run)
    with pytest.raises(UsageError, match="is no folder"):
        write_report(run, run / "none" / "report.html")
    with pytest.raises(SinkError):
        write_report(run / "none", run / "x.html")


# -- a hostile run ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose titles, columns, URLs, hosts, messages and telemetry do their worst."""
    cli, title = Cli(tmp_path_factory.mktemp("hostile")), NASTY.replace("&", "&amp;").replace("<", "&lt;")
    with HTTPServer() as server:
        server.expect_request("/robots.txt").respond_with_data("", 404)
        server.expect_request("/a").respond_with_data(
            f"<title>{title}</title><h1>&lt;/style>&lt;svg onload=a()></h1>", content_type="text/html; charset=utf-8"
        )
        _run_hostile(cli, server.url_for("/a"))
    return cli.folder / "output"


def _run_hostile(cli: Cli, good: str) -> None:
    urls = [good, f"javascript:{NASTY}", f"http://{NASTY}.example/", f"not a url {NASTY}"]
    with (cli.folder / "list.jsonl").open("w", encoding="utf-8") as file:
        for url in urls:
            file.write(json.dumps({"url": url, NASTY: NASTY, "nul\0": "\0", "<b>": [NASTY, {NASTY: NASTY}]}) + "\n")
    assert cli("run", "list.jsonl", "-q").code == 0
    pages = [{"url": f"{start}{NASTY}", "seconds": 1.0, "bytes": 5} for start in ("javascript:", "http://", "\0")]
    host = {"host": NASTY, "ok": 1, "failed": 0, "bytes": 1, "seconds": 1.0, "longest_s": 1.0}
    limit = {"name": NASTY, "share": 1.0, "advice": NASTY, "gain": None}
    told = session(
        model=NASTY, started=NASTY, python=NASTY, hosts=[host] * 30, slowest=pages, largest=pages, limits=[limit]
    )
    told["series"]["limit"] = [NASTY] * len(told["series"]["at"])
    write_telemetry(cli.folder / "output", told, told)


ELEMENTS = {
    "html", "head", "meta", "link", "title", "style", "body", "a", "header", "nav", "main", "footer", "section",
    "h1", "h2", "p", "ul", "li", "dl", "dt", "dd", "div", "span", "strong", "code", "bdi", "figure", "figcaption",
    "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "svg", "desc", "path", "line", "rect", "text",
}  # fmt: skip


def test_hostile_run_puts_nothing_but_text_into_its_report(hostile: Path) -> None:
    text = write_report(hostile, None).read_bytes().decode()
    page = LexborHTMLParser(text)
    assert {node.tag for node in page.css("*")} <= ELEMENTS
    assert len(page.css("style")) == len(page.css("head")) == len(page.css("body")) == 1
    for node in page.css("*"):
        assert not [name for name in node.attributes if name.startswith("on") or name in ("style", "src", "srcset")]
    links = {node.attributes["href"] for node in page.css("[href]")}
    assert all(re.match(r"https?://[!-~]+$|#[\w-]+$|data:,$", str(link)) for link in links)
    assert not re.search("[\0-\x08\x0e-\x1f\u202a-\u202e\u2066-\u2069]", text)
    assert text.count("alert(1)") > 20, "the words themselves must be there, as text"


def test_hostile_words_are_shown_as_they_are(hostile: Path) -> None:
    fields = {row["field"]: row["the first value"] for row in table_of(page_of(hostile), "How many of the 1 rows")}
    readable = NASTY.replace("\u202e", "⟨U+202E⟩").replace("\u2066", "⟨U+2066⟩")
    assert fields[readable] == f"{readable.removesuffix('p;')}…", "cut at 80 characters, counted as they came"
    assert fields["nul⟨U+0000⟩"] == "⟨U+0000⟩"
    assert readable.startswith(fields["title"].rstrip("…"))
    assert fields["h1"] == "</style><svg onload=a()>"


# -- pure parts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "filled", "distinct"),
    [
        ([None, "", [], {}], 0, 0),
        ([0, False, 0.0, "0"], 4, 4),
        (["a", "a", "b"], 3, 2),
        ([["a"], ["a"], {"k": 1}, {"k": 2}], 4, 3),
        ([5, "5"], 2, 2),
    ],
)
def test_field_is_filled_where_it_has_a_value(values: list[Any], filled: int, distinct: int) -> None:
    field = fill_of({"url": "u", "x": value} for value in values).fields["x"]
    assert (field.filled, field.distinct) == (filled, distinct)


def test_memory_for_fields_is_bounded() -> None:
    fill = fill_of({"id": number, f"key{number}": number} for number in range(MOST_DISTINCT + 5))
    assert fill.fields["id"].filled == MOST_DISTINCT + 5
    assert (fill.fields["id"].distinct, fill.fields["id"].has_more) == (MOST_DISTINCT, True)
    assert len(fill.fields) == MOST_FIELDS
    assert fill.left_out


def told_series(points: int) -> SeriesTold:
    return SeriesTold(**series(points))


@pytest.mark.parametrize("points", [1, 2, 149, 150, 151, 600])
def test_coarser_series_tells_the_same(points: int) -> None:
    fine, coarse = told_series(points), coarser(told_series(points))
    assert len(coarse.at) == len(coarse.limit) <= 150
    assert (coarse.at[-1], coarse.done[-1], coarse.bytes[-1]) == (fine.at[-1], fine.done[-1], fine.bytes[-1])
    widths = [end - start for start, end in zip([0.0, *coarse.at], coarse.at, strict=False)]
    means = [sum(fine.in_flight) / points, sum(map(float.__mul__, coarse.in_flight, widths)) / sum(widths)]
    assert means[0] == pytest.approx(means[1])
    done = sum(rate * width for rate, width in zip(rates(coarse.at, coarse.done), widths, strict=True))
    assert done == pytest.approx(fine.done[-1])


def test_spans_of_a_limit_join_and_the_longest_comes_first() -> None:
    spans = spans_by_name([1.0, 2.0, 3.0, 6.0], ["disk", "disk", None, "parse"])
    assert list(spans.items()) == [("parse", [(3.0, 6.0)]), ("disk", [(0.0, 2.0)])]


def test_newest_session_that_did_something_is_shown(tmp_path: Path) -> None:
    assert read_sessions(tmp_path) is None
    write_telemetry(tmp_path)
    assert read_sessions(tmp_path) == []
    assert telling([]) is None
