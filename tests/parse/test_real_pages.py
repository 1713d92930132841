"""Every real page gives a row, and its title is what another reader finds."""

import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scraper.parse.page import load_parser, parse_page
from scraper.records import FieldSpec, Page, ParsePlan

PAGES = Path(__file__).parents[2] / "../shared/pages"
pytestmark = pytest.mark.skipif(not PAGES.exists(), reason="the shared real pages are not on this machine")

FIELDS = (
    FieldSpec("title", "title"),
    FieldSpec("text", "body"),
    FieldSpec("length", "body", length=True),
    FieldSpec("links", "a[href]", attr="href", type="url", many=True),
    FieldSpec("paragraphs", "p", count=True),
    FieldSpec("numbers", "span", type="decimal", many=True),
    FieldSpec("dates", "time", type="datetime", many=True),
)


class TitleReader(HTMLParser):
    """The first title, read by the standard library."""

    def __init__(self) -> None:
        super().__init__()
        self._is_inside = False
        self.title: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" and self.title is None:
            self._is_inside, self.title = True, ""

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._is_inside and self.title is not None:
            self.title += data


def other_title(html: str) -> str | None:
    reader = TitleReader()
    reader.feed(html)
    return " ".join((reader.title or "").split()) or None


def real_pages() -> list[Page]:
    records = [json.loads(line) for line in (PAGES / "manifest.jsonl").read_text().splitlines()]
    return [
        Page(
            record["url"], record["url"], 200, "text/html", gzip.decompress((PAGES / record["file"]).read_bytes()), 0.0
        )
        for record in records
    ]


def test_every_page_gives_a_row_with_the_title_that_another_parser_reads() -> None:
    parser = load_parser(ParsePlan())
    pages = real_pages()
    different = []
    for page in pages:
        row = parse_page(page, parser)
        assert isinstance(row, dict), (page.url, row)
        msgspec.json.encode(row)
        expected = other_title(page.body.decode("utf-8", "replace"))
        if row["title"] != expected:
            different.append((page.url, row["title"], expected))
    assert len(pages) == 251
    assert different == []


def test_every_page_can_be_read_by_rules_of_all_kinds() -> None:
    parser = load_parser(ParsePlan(FIELDS))
    for page in real_pages():
        row: Any = parse_page(page, parser)
        assert isinstance(row, dict), (page.url, row)
        assert row["length"] == len(row["text"] or "")
        assert "  " not in (row["text"] or "")
        assert all(":" in link for link in row["links"])
        msgspec.json.encode(row)
