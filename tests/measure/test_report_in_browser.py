"""The report in a real browser: nothing is asked of a network, nothing is cut, and all can be read by everybody."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scraper.measure.report.writing import write_report
from tests.conftest import Cli, Site
from tests.measure.browser import NoBrowserError, Tab, running_browser
from tests.measure.example import session, write_telemetry

WIDTHS = {"phone": 390, "desk": 1200}


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    try:
        with running_browser() as tab:
            yield tab
    except NoBrowserError as exc:
        pytest.skip(str(exc))


NASTY = "</script></style></svg><script>document.title='taken'</script><img src=//evil.example/x onerror=fetch('/')>"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Path:
    """The folder of a real run, whose list has some words that try to be markup."""
    cli = Cli(tmp_path_factory.mktemp("report"))
    urls = [*site.urls[:40], f"{site.url}/nowhere", "not a url", f"https://127.0.0.1:9/{'long-path/' * 30}", NASTY]
    lines = (json.dumps({"url": url, NASTY: NASTY, "note": f"\u202e{NASTY}"}) for url in urls)
    (cli.folder / "urls.jsonl").write_text("\n".join(lines))
    assert cli("run", "urls.jsonl", "-q", "--set", "fetch.retries=0").code == 0
    return cli.folder / "output"


@pytest.fixture(scope="module")
def report(run: Path) -> str:
    """Its report, with the telemetry of two sessions that took longer."""
    return report_of(run, "report", session(model="asyncio"), session())


@pytest.fixture(scope="module")
def hostile(run: Path) -> str:
    """Its report, with telemetry whose every word tries to be markup."""
    page = {"url": f"http://a.example/{NASTY}", "seconds": 1.0, "bytes": 1}
    host = {"host": NASTY, "ok": 1, "failed": 0, "bytes": 1, "seconds": 1.0, "longest_s": 1.0}
    limits = [{"name": NASTY, "share": 1.0, "advice": NASTY, "gain": 1.5}]
    told = session(model=NASTY, started=NASTY, slowest=[page] * 3, hosts=[host], limits=limits)
    return report_of(run, "hostile", told, told)


def report_of(run: Path, name: str, *sessions: dict[str, Any]) -> str:
    """The URL of the report on a copy of the run with other telemetry, or its own where none is given."""
    folder = Path(shutil.copytree(run, run.with_name(name)))
    if sessions:
        write_telemetry(folder, *sessions)
    return write_report(folder, None).as_uri()


def nothing_went_wrong(tab: Tab, url: str) -> bool:
    """No word on the console, no error, and the page is all that was ever asked for."""
    asked = [request["request"]["url"] for request in tab.told("Network.requestWillBeSent")]
    assert [asked_url for asked_url in asked if not asked_url.startswith("data:,")] == [url]
    assert tab.told("Runtime.consoleAPICalled") == tab.told("Log.entryAdded") == []
    assert tab.told("Runtime.exceptionThrown") == []
    return True


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_page_asks_for_nothing_and_says_nothing_to_the_console(tab: Tab, report: str, width: int) -> None:
    tab.show(report, width=width)
    assert nothing_went_wrong(tab, report)
    assert tab.run("document.title").startswith("Report of a run")


def test_hostile_run_cannot_make_its_report_do_anything(tab: Tab, hostile: str) -> None:
    tab.show(hostile, width=390)
    assert nothing_went_wrong(tab, hostile)
    assert tab.run("document.title") == "Report of a run: hostile"
    assert tab.run("document.scripts.length + document.images.length") == 0
    assert tab.run("document.documentElement.scrollWidth") <= 390


def test_browser_itself_refuses_whatever_the_page_might_load(tab: Tab, report: str) -> None:
    tab.show(report)
    tab.run(
        "const image = new Image(), failed = new Promise(done => image.onerror = done);"
        "image.src = 'http://127.0.0.1:9/i'; Promise.allSettled([failed, fetch('http://127.0.0.1:9/f')])"
    )
    refused = [event["entry"]["text"] for event in tab.told("Log.entryAdded")]
    for what in ("img-src", "connect-src' was not explicitly set"):
        assert any(what in text and "Content Security Policy" in text for text in refused), refused


NOT_CUT = """
[...document.querySelectorAll("svg[role=img] text")].filter(text => {
  const own = text.getBoundingClientRect(), card = text.closest("figure").getBoundingClientRect();
  return own.width && (own.left < card.left || own.right > card.right || own.top < card.top);
}).map(text => text.textContent)
"""
OVERLAPS = """
[...document.querySelectorAll("svg[role=img]")].flatMap(svg => {
  const found = [], texts = [...svg.querySelectorAll("text")].map(text => [text, text.getBoundingClientRect()]);
  texts.forEach(([one, a], at) => texts.slice(at + 1).forEach(([other, b]) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 5 && b.top < a.bottom - 5)
      found.push(one.textContent + " / " + other.textContent);
  }));
  return found;
})
"""


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_nothing_is_wider_than_the_screen_and_no_words_of_charts_collide(tab: Tab, report: str, width: int) -> None:
    tab.show(report, width=width)
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run(NOT_CUT) == []
    assert tab.run(OVERLAPS) == []
    assert tab.run("Math.min(...[...document.querySelectorAll('svg[role=img] text')].map(t => "
                   "parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a))") >= 10  # fmt: skip


def test_report_of_what_the_run_itself_told_is_as_good(tab: Tab, run: Path) -> None:
    url = report_of(run, "real")
    tab.show(url, width=390)
    assert nothing_went_wrong(tab, url)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    assert tab.run(NOT_CUT) == tab.run(OVERLAPS) == []
    headings = tab.run("[...document.querySelectorAll('h2')].map(it => it.textContent)")
    assert {"What limited it", "Latency", "Hosts"} <= set(headings)


CONTRASTS = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0, 255] : [255, 255, 255, 255];
  };
  const ratio = (colour, node) => {
    const [one, other] = [light(rgba(colour)), light(behind(node))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const words = [], shapes = [];
  for (const node of document.querySelectorAll("body *")) {
    const style = getComputedStyle(node), inSvg = node instanceof SVGElement;
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim());
    if (own && !["title", "desc"].includes(node.tagName)) words.push(ratio(inSvg ? style.fill : style.color, node));
    if (node.matches("path.line")) shapes.push(ratio(style.stroke, node));
    if (node.matches("rect.bar, rect.f1, rect.f2, rect.f3")) shapes.push(ratio(style.fill, node));
  }
  return [words.length, Math.min(...words), shapes.length, Math.min(...shapes)];
})()
"""


@pytest.mark.parametrize(
    ("dark", "paper"), [(False, False), (True, False), (True, True)], ids=["light", "dark", "paper"]
)
def test_words_and_lines_stand_out_from_what_is_behind_them(tab: Tab, report: str, dark: bool, paper: bool) -> None:
    tab.show(report, dark=dark, paper=paper)
    words, least_of_words, shapes, least_of_shapes = tab.run(CONTRASTS)
    assert words > 400
    assert shapes > 50
    assert least_of_words >= 4.5  # WCAG 2.2, 1.4.3
    assert least_of_shapes >= 3  # 1.4.11
    background = tab.run("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (not dark or paper)


def accessible(tab: Tab) -> list[dict[str, Any]]:
    """What a screen reader is given: role, name and description of all that is not passed over."""
    nodes = tab.ask("Accessibility.getFullAXTree")["nodes"]
    return [
        {key: node.get(key, {}).get("value", "") for key in ("role", "name", "description")}
        for node in nodes
        if not node.get("ignored")
    ]


def test_screen_reader_gets_landmarks_headings_and_names_for_charts_and_tables(tab: Tab, report: str) -> None:
    tab.show(report)
    nodes = accessible(tab)
    roles = [node["role"] for node in nodes]
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert roles.count(landmark) == 1
    charts = [node for node in nodes if node["role"] in ("image", "img")]
    assert len(charts) == tab.run("document.querySelectorAll('svg[role=img]').length") == 11
    assert all(chart["name"] and len(chart["description"]) > 20 for chart in charts)
    assert len({chart["name"] for chart in charts}) == len(charts)
    named = [node for node in nodes if node["role"] in ("table", "region")]
    assert len(named) > 20
    assert all(node["name"] for node in named)
    assert [node["name"] for node in nodes if node["role"] == "heading"][1:3] == ["Outcomes", "What limited it"]
    assert "columnheader" in roles
    assert "rowheader" in roles


def test_every_table_has_a_caption_and_heads_that_say_what_for(tab: Tab, report: str) -> None:
    tab.show(report)
    assert tab.run("[...document.querySelectorAll('table')].every(it => it.caption && it.caption.textContent.trim())")
    assert tab.run("[...document.querySelectorAll('th')].every(it => ['col', 'row'].includes(it.scope))")
    assert tab.run(
        "[...document.querySelectorAll('.scroll')].every(it => it.tabIndex === 0 && it.getAttribute('aria-label'))"
    )


def test_keyboard_reaches_the_content_first(tab: Tab, report: str) -> None:
    tab.show(report)
    for kind in ("rawKeyDown", "keyUp"):
        tab.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert tab.run(
        "[document.activeElement.textContent, document.activeElement.getBoundingClientRect().left >= 0]"
    ) == [
        "To the content",
        True,
    ]


def test_paper_shows_every_chart_whole(tab: Tab, report: str, tmp_path: Path) -> None:
    tab.show(report, width=718, paper=True)  # A4 less Chromium's margins, at 96 to the inch
    assert tab.run("document.documentElement.scrollWidth") <= 718
    assert tab.run(NOT_CUT) == []
    assert tab.run("[...document.querySelectorAll('figure')].every(it => getComputedStyle(it).breakInside === 'avoid')")
    assert tab.run("Math.max(...[...document.querySelectorAll('figure')].map(it => it.offsetHeight))") < 1000
    assert tab.pdf().startswith(b"%PDF-")
