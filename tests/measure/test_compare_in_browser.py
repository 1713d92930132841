"""The page of a comparison in a real browser: it asks for nothing, and all of it can be seen."""

from collections.abc import Iterator

import pytest

from scraper.config import load_config
from scraper.measure.compare.page import page_of
from scraper.measure.compare.rounds import MODELS, Difference, Findings, Load, Plan, comparison_of
from scraper.measure.compare.rows import Brought
from scraper.measure.pages import Pages
from tests.measure.browser import NoBrowserError, Tab, running_browser
from tests.measure.example import histogram, session
from tests.measure.test_report_in_browser import NASTY, NOT_CUT, OVERLAPS, WIDTHS, nothing_went_wrong
from tests.measure.trials import trial


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    try:
        with running_browser() as tab:
            yield tab
    except NoBrowserError as exc:
        pytest.skip(str(exc))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """All models over three rounds, one of them late and one with rows of its own; and nasty words from a page."""
    folder = tmp_path_factory.mktemp("compared")
    trials = {
        model: [
            trial(
                1000 * (number + 1) + 50 * turn,
                model=model,
                first_row_s=0.1 * number**2,
                phases={**session()["phases"], "page": histogram(0.02 * (number + 1), 4_000)},
            )
            for turn in range(3)
        ]
        for number, model in enumerate(MODELS)
    }
    first = (trials["hybrid"][0], Brought({}, {}, frozenset()))
    found = Findings(trials, {"nasty": NASTY}, [Load(0.5, 0.3)], first)
    found.difference, found.differs = Difference("http://127.0.0.1/" + NASTY, NASTY, NASTY, NASTY), "threads"
    pages = Pages(("urls.txt",), 4000, 12, NASTY, notes=(NASTY,))
    plan = Plan(MODELS, 3, None, load_config(None, ["parse.function=rules:extract"]), {}, folder)
    path = folder / "compare.html"
    path.write_text(page_of(comparison_of(plan, pages, found, found.broken)))
    return path.as_uri()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_page_asks_for_nothing_and_all_of_it_can_be_seen(tab: Tab, page: str, width: int) -> None:
    tab.show(page, width=width)
    assert nothing_went_wrong(tab, page)
    assert tab.run("document.title").startswith("Models compared: ")
    assert tab.run("document.scripts.length + document.images.length") == 0
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run(NOT_CUT) == []
    assert tab.run(OVERLAPS) == []


def test_every_table_has_a_caption_and_every_chart_a_name(tab: Tab, page: str) -> None:
    tab.show(page)
    assert tab.run("[...document.querySelectorAll('table')].filter(it => !it.caption?.textContent).length") == 0
    assert tab.run("[...document.querySelectorAll('svg[role=img]')].length") == 6 + len(MODELS)
    assert tab.run("document.querySelectorAll('svg[role=img]:not([aria-labelledby])').length") == 0
