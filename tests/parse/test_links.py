"""Resolving, against the WHATWG algorithm itself."""

import can_ada
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from scraper.parse.links import Resolver

EMPTY = LexborHTMLParser("")
BASES = (
    "http://a.example/b/c?d#e",
    "https://joe:secret@a.example:8080/",
    "http://a.example",
    "http://a.example/a//b/",
    "https://a.example/b/c/d/e.html",
    "file:///x/y",
    "mailto:someone@a.example",
)
PIECES = st.sampled_from(
    [
        *("/", "//", ".", "..", "../", "a", "B0", "?", "#", ":", "@", "%2e", "%41", " ", "é", "\\", "http:", "-", "~"),
        *("https://X.example", "'", "\t", "{", "=", "&", ""),
    ]
)


def standard(base: str, reference: str) -> str | None:
    try:
        return (can_ada.parse(base) + reference).href
    except ValueError:
        return None


@given(base=st.sampled_from(BASES), references=st.lists(st.lists(PIECES, max_size=7).map("".join), max_size=4))
def test_every_answer_is_the_standards(base: str, references: list[str]) -> None:
    resolver = Resolver(EMPTY, base)
    assert [resolver.resolve(text) for text in references] == [standard(base, text) for text in references]


PLAIN_PIECES = st.sampled_from(["a", "b1", "/", "//", ".", "..", "../", "?", "#", "-", "_", "~", "=", ":", "@", "+"])


@given(base=st.sampled_from(BASES), references=st.lists(st.lists(PLAIN_PIECES, max_size=9).map("".join), max_size=9))
def test_short_ways_of_plain_references_lead_where_the_standard_does(base: str, references: list[str]) -> None:
    resolver = Resolver(EMPTY, base)
    assert [resolver.resolve(text) for text in references] == [standard(base, text) for text in references]


@pytest.mark.parametrize("start", ["", "/", "../"])
def test_a_reference_of_a_million_characters_is_read_once(start: str) -> None:
    almost_plain = start + "a/" * 500_000 + "%"
    assert Resolver(EMPTY, "http://a.example/b/").resolve(almost_plain) == standard("http://a.example/b/", almost_plain)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("c.html", "http://a.example/docs/c.html"),
        ("../x/y", "http://a.example/x/y"),
        ("../../../x", "http://a.example/x"),
        ("/x?q=1#f", "http://a.example/x?q=1#f"),
        ("//b.example", "http://b.example/"),
        ("#top", "http://a.example/docs/page.html?old#top"),
        ("#a b#c", "http://a.example/docs/page.html?old#a%20b#c"),
        ("x//y/", "http://a.example/docs/x//y/"),
        ("x/./y/../z", "http://a.example/docs/x/z"),
        ("/x/../y", "http://a.example/y"),
        ("x?/../y", "http://a.example/docs/x?/../y"),
        ("?q", "http://a.example/docs/page.html?q"),
        ("", "http://a.example/docs/page.html?old"),
        (" HTTP://B.example:80/ü ", "http://b.example/%C3%BC"),
        ("mailto:joe@a.example", "mailto:joe@a.example"),
        ("a:b", "a:b"),
        ("./a:b", "http://a.example/docs/a:b"),
        (".hidden", "http://a.example/docs/.hidden"),
        ("http://[", None),
        ("http://a b/", None),
    ],
)
def test_references_of_every_kind(reference: str, expected: str | None) -> None:
    assert Resolver(EMPTY, "http://a.example/docs/page.html?old#here").resolve(reference) == expected


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("<base href='/b/'>", "http://a.example/b/x"),
        ("<base target=_top><base href='http://c.example/d/'><base href='/b/'>", "http://c.example/d/x"),
        ("<base href='http://['>", "http://a.example/docs/x"),
        ("<base href='data:,a'>", "http://a.example/docs/x"),
        ("<base href=''>", "http://a.example/docs/x"),
    ],
)
def test_the_base_element_is_respected(base: str, expected: str) -> None:
    assert Resolver(LexborHTMLParser(base), "http://a.example/docs/p").resolve("x") == expected


def test_without_a_readable_page_url_nothing_resolves() -> None:
    assert Resolver(EMPTY, "no url").resolve("http://a.example/") is None
