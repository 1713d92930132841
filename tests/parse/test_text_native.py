"""The compiled walk reads what the one in Python reads, and gives way to it where it cannot."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax import lexbor
from selectolax.lexbor import LexborHTMLParser, LexborNode

from scraper.parse import text
from scraper.parse.text import native_reader, python_text

PAGES = Path(__file__).parents[2] / "../shared/pages"
BUILT = Path(text.__file__).with_name("_native.abi3.so")
needs_native = pytest.mark.skipif(not BUILT.exists(), reason="it was not built: no C compiler was found")


@pytest.fixture(scope="module")
def native() -> Callable[[LexborNode], str]:
    reader = native_reader()
    assert reader is not None, "it was built, but is not in use: make clean"
    return reader


WHITE = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
NOT_WHITE = ["a", "b", "\u200b", "\u00ad", "\u00e9", "\u1681", "\u2027", "\u3001", "\U0001f600", "\ufeff", "\0"]
BLOCKS = ["p", "div", "li", "table", "tr", "td", "select", "option", "body", "svg", "math", "title", "x-y", "br", "img"]
NAMES = [*BLOCKS, "a", "b", "i", "span", "script", "style", "noscript", "template", "iframe", "textarea", "xmp"]
MARKUP = [*(f"<{slash}{name}>" for name in NAMES for slash in ("", "/")), "<!-- -->", "<![CDATA[ x y]]>", "<?x y?>"]
ENTITIES = ["&nbsp;", "&amp;", "&lt;", "&quot;", '"', "&#0;", "&#x85;", "&#xD800;", "&#x2003;"]
STRAY = [bytes([byte]) for byte in (0x80, 0x85, 0x8A, 0x9A, 0xA0, 0xC2, 0xE1, 0xE2, 0xE3, 0xED, 0xF0, 0xF4, 0xFF)]
PIECES = [*(piece.encode() for piece in [*WHITE, *NOT_WHITE, *MARKUP, *ENTITIES]), *STRAY]
"""Among them letters cut in two, which the borders of text nodes may fall between."""
SOUP = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


@needs_native
@given(html=st.one_of(SOUP, st.binary(max_size=40)))
def test_every_node_of_any_page_reads_the_same(html: bytes, native: Callable[[LexborNode], str]) -> None:
    tree = LexborHTMLParser(html)
    before = tree.html
    nodes = [node for node in tree.css("*") if node.tag_id not in text._UNSEEN]
    assert [*map(native, nodes)] == [*map(python_text, nodes)]
    assert tree.html == before


@needs_native
@pytest.mark.parametrize("white", WHITE, ids=ascii)
def test_white_space_is_what_python_says_it_is(white: str, native: Callable[[LexborNode], str]) -> None:
    assert native(LexborHTMLParser(f"<p>{white}a{white}{white}b{white}").css("p")[0]) == "a b"


@needs_native
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (b"a\xe2\x80<!-- -->\x83b", "a\ufffd\ufffdb"),
        (b"a\xe2\x80<b>\x83\x83</b>b", "a\ufffd\ufffd\ufffdb"),
        (b"a\xe2\x80 \x83b", "a\ufffd \ufffdb"),
        (b"a\xe2\x80<p>\x83b", "a\ufffd \ufffdb"),
        (b"\x83a\xc2", "\ufffda\ufffd"),
    ],
)
def test_a_letter_cut_in_two_is_two_bad_ones(html: bytes, expected: str, native: Callable[[LexborNode], str]) -> None:
    node = LexborHTMLParser(html).css("body")[0]
    assert native(node) == python_text(node) == expected


@needs_native
@pytest.mark.parametrize("piece", ["<x-y>x", "<span>x</span> ", "<p>x<!-- -->", "x <br>"])
def test_a_hundred_thousand_pieces_read_the_same(piece: str, native: Callable[[LexborNode], str]) -> None:
    node = LexborHTMLParser(piece * 100_000).css("body")[0]
    assert native(node) == python_text(node)


@needs_native
def test_a_text_of_twenty_megabytes_reads_the_same(native: Callable[[LexborNode], str]) -> None:
    node = LexborHTMLParser("<p>" + "word \u00e9\u3000&amp; " * 1_500_000).css("body")[0]
    assert native(node) == python_text(node)


@needs_native
@pytest.mark.skipif(not PAGES.exists(), reason="the shared real pages are not on this machine")
def test_real_pages_read_the_same(native: Callable[[LexborNode], str]) -> None:
    for page in sorted(PAGES.glob("*.html.gz")):
        nodes = LexborHTMLParser(gzip.decompress(page.read_bytes())).css("html, head, body, h1, p, li, td, a")
        assert [*map(native, nodes)] == [*map(python_text, nodes)], page.name


@needs_native
@pytest.mark.parametrize("wrong", [None, 4096, "p", object()])
def test_what_is_no_node_is_refused(wrong: object, native: Callable[[LexborNode], str]) -> None:
    with pytest.raises(TypeError, match="LexborNode"):
        native(wrong)  # type: ignore[arg-type]


WITHOUT_MEMORY = """
import resource
from pathlib import Path
from selectolax.lexbor import LexborHTMLParser
from scraper.parse.text import native_reader
read, node = native_reader(), LexborHTMLParser("<p>" + "word " * 5_000_000).css("p")[0]
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 8 * 2**20,) * 2)
try:
    read(node)
except MemoryError:
    print("MemoryError")
"""


@needs_native
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does it")
def test_too_little_memory_is_an_error_like_any_other() -> None:
    command = [sys.executable, "-c", WITHOUT_MEMORY]
    shown = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["MemoryError"]


def test_python_reads_where_it_was_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scraper.parse._native", None)
    monkeypatch.delattr("scraper.parse._native", raising=False)
    assert native_reader() is None


@pytest.mark.parametrize("path", ["/nowhere/lexbor.so", text.__file__, msgspec._core.__file__])
def test_python_reads_where_lexbors_functions_are_not_to_be_found(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexbor, "__file__", path)
    assert native_reader() is None


@pytest.mark.parametrize("kinds", [b"", bytes(300), b"\1" * 300, text._KINDS.replace(b"\2", b"\1"), "text", None])
def test_python_reads_where_the_trial_shows_a_difference(kinds: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_KINDS", kinds)
    assert native_reader() is None
