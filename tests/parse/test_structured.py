"""The default fields, against made-up pages and extruct's samples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from scraper.parse.charset import decode
from scraper.parse.jsonld import read_json_ld
from scraper.parse.links import Resolver
from scraper.parse.structured import DEFAULT_FIELDS, default_fields, json_ld, open_graph, page_title

EXTRUCT = Path(__file__).parents[2] / "../shared/cases/structured/extruct"


def fields(html: str) -> dict[str, Any]:
    tree = LexborHTMLParser(html)
    return default_fields(tree, Resolver(tree, "http://a.example/d/p"))


def test_a_page_with_everything() -> None:
    html = """<html lang=en-GB><title> A
      title</title><meta name=Description content=" what  it is "><link rel="alternate Canonical" href="/c">
      <meta property=og:title content="T"><script type="application/ld+json">{"@type":"Thing"}</script>
      <h1>One <i>h</i>ead</h1><h1>Two</h1><a href=x>1</a><a href="x#f">2</a><a href="mailto:j@a.example">3</a>
      <a href="//b.example">4</a>"""
    assert fields(html) == {
        "title": "A title",
        "description": "what it is",
        "h1": "One head",
        "canonical": "http://a.example/c",
        "lang": "en-GB",
        "links": ["http://a.example/d/x", "http://b.example/"],
        "og": {"og:title": "T"},
        "jsonld": [{"@type": "Thing"}],
    }


@pytest.mark.parametrize(
    "html", ["", "<title></title><h1> </h1><meta name=description><html lang=''><link rel=canonical>"]
)
def test_what_is_missing_is_none_or_empty(html: str) -> None:
    found = fields(html)
    assert tuple(found) == DEFAULT_FIELDS
    assert list(found.values()) == [None, None, None, None, None, [], {}, []]


def test_the_title_of_a_picture_is_not_the_pages() -> None:
    assert page_title(LexborHTMLParser("<svg><title>icon</title></svg>")) is None
    assert page_title(LexborHTMLParser("<body><svg><title>icon</title></svg><title>page</title>")) == "page"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<meta property=og:image content=a><meta property=og:image content=b>", {"og:image": ["a", "b"]}),
        ("<meta property='og:image' content=a>" * 3, {"og:image": ["a", "a", "a"]}),
        ("<meta property=' OG:Title ' content=' a '>", {"og:title": "a"}),
        ("<meta name=og:title content=a>", {"og:title": "a"}),
        ("<meta property='og:image x:y' content=a>", {"og:image": "a"}),
        ("<meta property=og:title>", {}),
        ("<meta property=og:title content=''>", {"og:title": ""}),
        ("<meta property=article:tag content=a>", {"article:tag": "a"}),
        ("<meta property=twitter:card content=a><meta name=description content=b>", {}),
    ],
)
def test_open_graph(html: str, expected: dict[str, Any]) -> None:
    assert open_graph(LexborHTMLParser(html)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', {"a": 1}),
        ('<!-- {"a": 1} -->', {"a": 1}),
        ('<!-- ours -->\n{"a": "<!-- b -->"}', {"a": "<!-- b -->"}),
        ('//<![CDATA[\n{"a": 1}\n//]]>', {"a": 1}),
        ('<![CDATA[{"a": "]]>"}]]>', {"a": "]]>"}),
        ('/* x */ {"a": /* y */ "http://b", // z\n "c": 1,}', {"a": "http://b", "c": 1}),
        ('{"a": "b\nc\td"}', {"a": "b\nc\td"}),
        ('{"a": [1, 2, ], };', {"a": [1, 2]}),
        ('{"a": ",]"}', {"a": ",]"}),
        ('{"a": "\\ud800"}', None),
        ('{"a": 1', None),
        ("/* never closed", None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_json_ld_is_read_as_people_write_it(text: str, expected: object) -> None:
    assert read_json_ld(text) == expected


@pytest.mark.parametrize("unit", ["/*", '"', "<!--", "//", ",", '"\\', "-->  "])
def test_hopeless_text_is_given_up_in_linear_time(unit: str) -> None:
    assert read_json_ld("{" + unit * 100_000) is None


def test_json_ld_arrays_are_opened_and_what_is_no_object_is_left_out() -> None:
    html = """<script type="application/ld+json; charset=utf-8">[{"a": 1}, 3]</script>
    <script type="application/ld+json">broken</script><script type="APPLICATION/LD+JSON">{"b": 2}</script>
    <script>{"c": 3}</script>"""
    assert json_ld(LexborHTMLParser(html)) == [{"a": 1}, {"b": 2}]


def extruct_json_ld() -> Iterator[tuple[str, list[Any]]]:
    """Sample and expected JSON-LD; where extruct wraps what it found in an object of its own, that is taken off."""
    for line in (EXTRUCT / "index.jsonl").read_text().splitlines():
        case = json.loads(line)
        for name in case["expected"]:
            expected = json.loads((EXTRUCT / name).read_text())
            if isinstance(expected, dict):
                expected = expected.get("json-ld", expected.get("items"))
            if (name.endswith(".jsonld") or "json-ld" in name) and expected is not None:
                yield case["html"], expected


@pytest.mark.skipif(not EXTRUCT.exists(), reason="the shared extruct samples are not on this machine")
def test_agrees_with_extruct_on_json_ld() -> None:
    cases = list(extruct_json_ld())
    wrong = []
    for name, expected in cases:
        flat = [item for entry in expected for item in (entry if isinstance(entry, list) else [entry])]
        if json_ld(LexborHTMLParser(decode((EXTRUCT / name).read_bytes(), ""))) != flat:
            wrong.append(name)
    assert len(cases) >= 10
    assert wrong == []


@pytest.mark.skipif(not EXTRUCT.exists(), reason="the shared extruct samples are not on this machine")
@pytest.mark.parametrize("name", ["misc/opengraph_test", "misc/opengraph_ns_product_test", "songkick/elysianfields"])
def test_agrees_with_extruct_on_open_graph(name: str) -> None:
    expected = json.loads((EXTRUCT / f"{name}.json").read_text())
    pairs = (expected["opengraph"] if isinstance(expected, dict) else expected)[0]["properties"]
    found = open_graph(LexborHTMLParser(decode((EXTRUCT / f"{name}.html").read_bytes(), "")))
    for key in {key for key, _ in pairs if key.startswith(("og:", "article:", "product:"))}:
        texts = [text for other, text in pairs if other == key]
        assert found[key] == (texts if len(texts) > 1 else texts[0])
