"""Article text by trafilatura; its own quality is measured, not tested, save on some real pages."""

import builtins
import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scraper.errors import ConfigError
from scraper.parse.article import ARTICLE_FIELDS, load_article_reader
from scraper.parse.check import check_plan
from scraper.parse.page import load_parser, parse_page
from scraper.records import FieldSpec, Page, ParsePlan

PAGES = Path(__file__).parents[2] / "../shared/pages"
BODY = "The river rose again in the night, and by morning the lower road was under water. " * 12
HTML = f"""<html lang=en-GB><head><title>Flood</title><meta name=author content="Ann Lee">
<meta property=article:published_time content=2024-01-31></head><body><nav><a href=/>Home</a></nav>
<article><h1>Flood</h1><p>{BODY}</p><p>Café.</p></article></body></html>"""


def test_a_missing_extra_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_trafilatura(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("trafilatura"):
            raise ImportError("No module named 'trafilatura'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_trafilatura)
    with pytest.raises(ConfigError, match=re.escape("pip install 'hybrid-scraper[article]'")):
        load_article_reader()


def read(html: bytes, content_type: str = "text/html", url: str = "http://a.example/flood") -> Any:
    pytest.importorskip("trafilatura")
    return parse_page(Page(url, url, 200, content_type, html, 0.0), load_parser(ParsePlan(article=True)))


def test_text_author_date_and_language_follow_the_fields() -> None:
    row = read(HTML.encode())
    assert tuple(row)[-4:] == ARTICLE_FIELDS
    assert "The river rose again" in row["text"]
    assert "Home" not in row["text"]
    assert (row["author"], row["date"], row["language"]) == ("Ann Lee", "2024-01-31", "en")


def test_the_text_is_read_in_the_charset_that_was_decided() -> None:
    row = read(HTML.encode("cp1252"), "text/html; charset=windows-1252")
    assert "Café." in row["text"]


@pytest.mark.parametrize("html", [b"", b"<html lang=de>", b"<p>", b"\0"])
def test_a_page_without_an_article_has_none(html: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    row = read(html)
    assert (row["text"], row["author"], row["date"]) == (None, None, None)
    assert capfd.readouterr() == ("", "")


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3)))


@pytest.mark.skipif(not PAGES.exists(), reason="the shared real pages are not on this machine")
def test_most_of_the_text_of_real_articles_is_found() -> None:
    records = [json.loads(line) for line in (PAGES / "manifest.jsonl").read_text().splitlines()]
    articles = [record for record in records if record["kind"] == "article"][::15]
    scores = []
    for record in articles:
        row = read(gzip.decompress((PAGES / record["file"]).read_bytes()), url=record["url"])
        found, truth = shingles(row["text"] or ""), shingles(record["truth"]["articleBody"])
        scores.append(2 * (found & truth).total() / (found.total() + truth.total()))
    assert len(scores) >= 10
    assert sum(scores) / len(scores) > 0.9


def test_field_with_a_name_of_the_articles_own_is_refused():
    with pytest.raises(ConfigError, match=r"fields\.text: parse\.article gives a field of this name"):
        check_plan(ParsePlan((FieldSpec("text", "body"),), article=True))


def test_missing_extra_is_told_before_the_run(monkeypatch):
    monkeypatch.setattr("scraper.parse.check.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'hybrid-scraper\[article\]'"):
        check_plan(ParsePlan(article=True))
