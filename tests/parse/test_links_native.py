"""The compiled short ways lead where the standard does, and give way to Python where they cannot."""

import gzip
from collections.abc import Callable, Iterator
from itertools import chain, product
from pathlib import Path

import can_ada
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax import lexbor
from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.parse import links
from scraper.parse.links import Resolver, native_links

PAGES = Path(__file__).parents[2] / "../shared/pages"
BUILT = Path(links.__file__).with_name("_native.abi3.so")
pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="it was not built: no C compiler was found")

BASES = (
    "http://a.example/b/c?d#e",
    "https://joe:secret@a.example:8080/",
    "http://a.example",
    "http://a.example/a//b/",
    "http://a.example/a/b/c/d/",
    "https://a.example/b/c/d/e.html?../f/#g",
    "http://1.2.3.4/x",
    "file:///x/y",
    "mailto:someone@a.example",
)
NAMES = ["a", "B1", "z9", "-", "_", "~", "=", "+", ",", "é", "%41", "%2e", "{", " ", "\t", "\\", "'", "|", "^"]
MARKS = ["/", "//", ".", "..", "../", "./", "?", "#", ":", "@", "&amp;", "[", "]", "!", "*", "$", "(", ")", ";"]
STARTS = [
    "http://",
    "https://",
    "HTTP://",
    "http:",
    "//",
    "http:/",
    "https://a.example",
    "http://b.example/",
    "mailto:",
]
HOSTS = ["a.", "xn--", "a-b", "0x1", "1", "a", "Z", "127.1", ".", "-", "com", "_", ":80", "/", "/c", "0", "a.1"]
REFERENCES = st.one_of(
    st.lists(st.sampled_from([*NAMES, *MARKS, *STARTS]), max_size=8).map("".join),
    st.lists(st.sampled_from(HOSTS), max_size=6).map(lambda pieces: f"http://{''.join(pieces)}/x"),
    st.lists(st.sampled_from(["../", "a/", "b", "?c", "#d", "./", "/"]), max_size=9).map("".join),
)


@pytest.fixture(autouse=True)
def it_is_in_use() -> None:
    assert links._links is not None, "it was built, but is not in use: make clean"


def page_of(references: list[str]) -> LexborHTMLParser:
    return LexborHTMLParser("".join(f'<a href="{text.replace(chr(34), "")}">' for text in references))


def standard(base: str, node: LexborNode) -> str | None:
    try:
        return (can_ada.parse(base) + node.attrs.sget("href")).href
    except ValueError:
        return None


@given(base=st.sampled_from(BASES), references=st.lists(REFERENCES, max_size=6))
def test_every_answer_is_the_standards(base: str, references: list[str]) -> None:
    tree = page_of(references)
    nodes = tree.css("a")
    assert Resolver(tree, base).resolve_nodes(nodes, "href") == [standard(base, node) for node in nodes]


PIECES = ["../", "./", "/", ".", "..", "a", "b.c", "?", "#", ":", "http://", "%2e", "\u00e9"]


@pytest.mark.parametrize("base", [*BASES, "http://a.example/?q#f", "http://a.example/x?q#f", "http://a.example//"])
def test_every_short_row_of_pieces_leads_where_the_standard_says(base: str) -> None:
    tree = page_of([*map("".join, chain.from_iterable(product(PIECES, repeat=count) for count in (1, 2, 3)))])
    nodes = tree.css("a")
    assert Resolver(tree, base).resolve_nodes(nodes, "href") == [standard(base, node) for node in nodes]


@given(html=st.binary(max_size=60))
def test_any_bytes_give_what_python_gives(html: bytes) -> None:
    tree = LexborHTMLParser(b"<a href=" + html + b"><b href='" + html + b"'></b><svg><a xlink:href=x href=" + html)
    nodes, resolver = tree.css("*"), Resolver(tree, "http://a.example/b/c")
    assert resolver.resolve_nodes(nodes, "href") == [resolver._resolve_node(node, "href") for node in nodes]


def real_pages() -> Iterator[bytes]:
    for file in sorted(PAGES.glob("**/*.html*")):
        yield gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


@pytest.mark.skipif(not PAGES.exists(), reason="the real pages are not here")
def test_links_of_real_pages_are_what_the_standard_makes_of_them() -> None:
    count = 0
    for html in real_pages():
        tree = LexborHTMLParser(html)
        nodes = tree.css("[href]")
        base = "https://www.site.example/a/b/page.html?q=1"
        resolver = Resolver(tree, base)
        found = resolver.resolve_nodes(nodes, "href")
        texts = [node.attrs.sget("href", None) for node in nodes]  # an `xlink:href` matches the selector too
        assert found == [None if text is None else resolver._join(text) for text in texts]
        count += len(found)
    assert count > 10_000


class Asked:
    """What is asked of Python."""

    def __init__(self, resolver: Resolver) -> None:
        self.references: list[str] = []
        self._resolve = resolver._resolve_node

    def __call__(self, node: LexborNode, attribute: str) -> str | None:
        self.references.append(node.attrs.sget(attribute))
        return self._resolve(node, attribute)


PLAIN = ["a", "a/b.html", "a?b=c&d=e#f", "/", "/a:b/c", "#top", "../a", "../../../a/b", "http://a.example/",
         "https://www.a-b.example/c/d.html?e#f", "https://a.example//b"]  # fmt: skip
WHOLE = ["", "?q", ".", "../", "./a", "a:b", "//a.example/", "/.a", "a/../b", "a b", "#a#b", "http://A.example/",
         "http://a.example", "http://a.example:81/", "http://a.example/.b", "http://1.example.1/", "http://a..b/",
         "http://xn--a.example/", "http://u@a.example/", "../#a", "..//a", "a%20b", "\u00e9"]  # fmt: skip


def test_plain_references_are_not_asked_of_python_and_all_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = page_of([*PLAIN, *WHOLE])
    resolver = Resolver(tree, "http://a.example/b/c/d")
    asked = Asked(resolver)
    monkeypatch.setattr(resolver, "_resolve_node", asked)
    resolver.resolve_nodes(tree.css("a"), "href")
    assert asked.references == WHOLE


@pytest.mark.parametrize("reference", ["../#a", "../../#a", "..//b/c", "..//", "../http://b.example/"])
@pytest.mark.parametrize("base", ["http://a.example/x?q", "http://a.example/b/c"])
def test_only_a_name_is_plain_behind_a_way_up(base: str, reference: str) -> None:
    tree = page_of([reference])
    assert Resolver(tree, base).resolve_nodes(tree.css("a"), "href") == [(can_ada.parse(base) + reference).href]


def test_elements_without_the_attribute_lead_nowhere() -> None:
    tree = LexborHTMLParser('<a href="b"><a name="c"><a href>')
    expected = ["http://a.example/b", None, "http://a.example/"]
    assert Resolver(tree, "http://a.example/").resolve_nodes(tree.css("a"), "href") == expected


def test_attribute_is_meant_by_its_whole_name() -> None:
    tree = LexborHTMLParser('<svg><a xlink:href="one" href="two"/></svg>')
    resolver = Resolver(tree, "http://a.example/")
    assert resolver.resolve_nodes(tree.css("a"), "href") == ["http://a.example/two"]
    assert resolver.resolve_nodes(tree.css("a"), "xlink:href") == ["http://a.example/one"]


def test_base_of_the_page_is_the_base() -> None:
    tree = LexborHTMLParser('<base href="/x/y/"><a href="../b"><a href="c"><a href="#d">')
    expected = ["http://a.example/x/b", "http://a.example/x/y/c", "http://a.example/x/y/#d"]
    assert Resolver(tree, "http://a.example/z").resolve_nodes(tree.css("a"), "href") == expected


def test_a_million_characters_are_read_once() -> None:
    almost_plain = "a/" * 500_000 + "%"
    tree = page_of([almost_plain, almost_plain[:-1]])
    expected = [standard("http://a.example/", node) for node in tree.css("a")]
    assert Resolver(tree, "http://a.example/").resolve_nodes(tree.css("a"), "href") == expected


def test_what_python_raises_is_raised_and_no_node_is_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    tree, function = page_of(["a b"]), native_links()
    assert function is not None

    def fail(node: LexborNode) -> str:
        raise KeyError

    with pytest.raises(KeyError):
        function(tree.css("a"), b"href", b"http://a", b"http://a/", b"http://a/", fail)
    text = LexborHTMLParser("<p>a").css("p")[0].first_child
    for wrong in ([None], [tree], [text]):
        with pytest.raises(TypeError):
            function(wrong, b"href", b"http://a", b"http://a/", b"http://a/", fail)  # type: ignore[arg-type]


def test_list_that_shrinks_meanwhile_is_an_error_and_no_crash() -> None:
    tree, function = page_of(["a b"] * 3), native_links()
    assert function is not None
    nodes = tree.css("a")

    def shrink(node: LexborNode) -> str | None:
        nodes.clear()
        return None

    with pytest.raises(RuntimeError):
        function(nodes, b"href", b"http://a", b"http://a/", b"http://a/", shrink)


def _raise(*_: object) -> None:
    raise ImportError


def _answer_wrongly(*_: object) -> Callable[..., list[str | None]]:
    return lambda nodes, *_: ["http://wrong.example/"] * len(nodes)


@pytest.mark.parametrize("linker", [_raise, _answer_wrongly])
def test_gives_way_to_python(linker: Callable[..., object], monkeypatch: pytest.MonkeyPatch) -> None:
    from scraper.parse import _native

    monkeypatch.setattr(_native, "linker", linker)
    assert native_links() is None
    monkeypatch.setattr(links, "_links", None)
    tree = page_of([*PLAIN, *WHOLE])
    found = Resolver(tree, BASES[0]).resolve_nodes(tree.css("a"), "href")
    assert found == [standard(BASES[0], node) for node in tree.css("a")]


def test_function_that_is_missing_is_said() -> None:
    from scraper.parse import _native

    with pytest.raises(ImportError):
        _native.linker(msgspec._core.__file__, LexborNode)
    assert _native.linker(lexbor.__file__, LexborNode)
